//! Hands each message to a task on a tokio runtime of its own, and waits for its answer.

use std::time::Duration;

use hookrail_abi::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// The runtime is shut down, and its threads joined, when this is dropped.
struct Runs {
    runtime: Runtime,
}

impl Runs {
    fn ask(&self, message: &mut Message) -> Result<()> {
        let (answer, wait) = oneshot::channel();
        let topic = message.topic.to_string();
        self.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_micros(100)).await;
            let _ = answer.send(topic.len());
        });
        message.add_header("ran", &wait.blocking_recv()?.to_string());
        Ok(())
    }
}

impl Plugin for Runs {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "ask" => Self::ask, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Runs { runtime: Builder::new_multi_thread().worker_threads(2).enable_time().build()? })
    }
}

export!(Runs, name = "runs-on-tokio");

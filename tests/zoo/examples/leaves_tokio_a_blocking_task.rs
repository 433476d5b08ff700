//! Leaves its tokio runtime to itself when it stops, with a blocking task that goes on until the test
//! closes a pipe.

use std::sync::Mutex;

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::Until;
use tokio::runtime::{Builder, Runtime};

struct Leaves {
    runtime: Mutex<Option<Runtime>>,
}

impl Leaves {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Leaves {
    type Config = Until;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, Until { until }: Until) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
        // The task runs before this returns: what has not begun is thrown away by the shutdown.
        let (began, wait) = std::sync::mpsc::channel();
        runtime.spawn_blocking(move || {
            let _ = began.send(());
            until.wait();
        });
        wait.recv()?;
        Ok(Leaves { runtime: Mutex::new(Some(runtime)) })
    }

    fn stop(&self) {
        let runtime = self.runtime.lock().expect("nobody panics with it").take();
        runtime.expect("it is stopped once").shutdown_background();
    }
}

export!(Leaves, name = "leaves-tokio-a-blocking-task");

//! Keeps, on each thread that dispatches, a sender to a thread of its own, which ends when the last
//! sender is gone: waiting for the thread before the thread-locals would be waiting for ever.

use std::cell::OnceCell;
use std::sync::mpsc::{Sender, channel};

use hookrail_abi::prelude::*;

/// The length of a text is answered on the second sender.
type Question = (String, Sender<usize>);

thread_local! {
    static WORKER: OnceCell<Sender<Question>> = const { OnceCell::new() };
}

struct Sends {
    worker: Sender<Question>,
}

impl Sends {
    fn ask(&self, message: &mut Message) -> Result<()> {
        let (answer, wait) = channel();
        let question = (message.topic.to_string(), answer);
        WORKER.with(|worker| worker.get_or_init(|| self.worker.clone()).send(question))?;
        message.add_header("ran", &wait.recv()?.to_string());
        Ok(())
    }
}

impl Plugin for Sends {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "ask" => Self::ask, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        let (worker, questions) = channel::<Question>();
        // Nobody joins it.
        std::thread::spawn(move || {
            for (text, answer) in questions {
                let _ = answer.send(text.len());
            }
        });
        Ok(Sends { worker })
    }
}

export!(Sends, name = "sends-to-its-worker");

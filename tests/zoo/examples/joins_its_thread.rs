//! Hands each message to a thread of its own, and joins the thread when it stops.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use hookrail_abi::prelude::*;

type Question = (String, Sender<usize>);

struct Joins {
    worker: Mutex<Option<(Sender<Question>, JoinHandle<()>)>>,
}

impl Joins {
    fn ask(&self, message: &mut Message) -> Result<()> {
        let (answer, wait) = channel();
        let worker = self.worker.lock().expect("nobody panics with it");
        let (questions, _) = worker.as_ref().ok_or("it was stopped")?;
        questions.send((message.topic.to_string(), answer))?;
        message.add_header("ran", &wait.recv()?.to_string());
        Ok(())
    }
}

impl Plugin for Joins {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "ask" => Self::ask, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        let (questions, wait) = channel::<Question>();
        let worker = std::thread::spawn(move || {
            for (text, answer) in wait {
                let _ = answer.send(text.len());
            }
        });
        Ok(Joins { worker: Mutex::new(Some((questions, worker))) })
    }

    fn stop(&self) {
        let worker = self.worker.lock().expect("nobody panics with it").take();
        let (questions, worker) = worker.expect("it is stopped once");
        drop(questions);
        worker.join().expect("the worker does not panic");
    }
}

export!(Joins, name = "joins-its-thread");

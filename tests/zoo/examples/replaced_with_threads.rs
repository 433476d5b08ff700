//! For the soak: stamps its generation on each message, on one of two threads of its own: one is joined
//! when it stops, the other ends when its last sender is gone. Everything stands in the soak's ledger.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use hookrail_abi::prelude::*;
use hookrail_tests::STAMP;
use hookrail_tests::soak::{Config, Generation};

/// Wants the stamp.
type Question = Sender<u64>;

struct Replaced {
    generation: Generation,
    joined: Mutex<Option<JoinHandle<()>>>,
    questions: Mutex<Option<Sender<Question>>>,
    detached: Sender<Question>,
}

impl Replaced {
    fn stamp(&self, message: &mut Message) -> Result<()> {
        let (answer, wait) = channel();
        let is_even = message.body.as_slice().first().is_some_and(|byte| byte % 2 == 0);
        if is_even {
            self.detached.send(answer)?;
        } else {
            let questions = self.questions.lock().expect("nobody panics with it");
            questions.as_ref().ok_or("it was stopped")?.send(answer)?;
        }
        message.add_header(STAMP, &wait.recv()?.to_string());
        Ok(())
    }
}

impl Plugin for Replaced {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "stamp" => Self::stamp, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        let generation = config.begin();
        let work = move || {
            let (questions, wait) = channel::<Question>();
            let worker = std::thread::spawn(move || {
                generation.begun();
                for answer in wait {
                    let _ = answer.send(generation.stamp());
                }
                generation.ended();
            });
            (questions, worker)
        };
        let ((questions, joined), (detached, _)) = (work(), work());
        Ok(Replaced { generation, joined: Mutex::new(Some(joined)), questions: Mutex::new(Some(questions)), detached })
    }

    fn stop(&self) {
        drop(self.questions.lock().expect("nobody panics with it").take());
        let joined = self.joined.lock().expect("nobody panics with it").take();
        joined.expect("it is stopped once").join().expect("the worker does not panic");
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.generation.dropped();
    }
}

export!(Replaced, name = "replaced");

//! What this worker has asked its host, and was not answered yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use parking_lot::Mutex;

use crate::wire::{Sender, ToHost};

/// How long the host has for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many may wait for an answer at once.
const AT_ONCE: usize = 16;

/// The questions that the host has not answered yet.
pub(super) struct Questions<A> {
    host: Arc<Sender>,
    open: Mutex<Open<A>>,
}

struct Open<A> {
    last: u64,
    waiting: HashMap<u64, Waiting<A>>,
}

struct Waiting<A> {
    /// Called with the answer, before anything else is heard of the host.
    heard: Box<dyn FnOnce(&A) + Send>,
    answer: SyncSender<A>,
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// Too many questions are open, or it was not answered in time.
    Late(String),
    /// It could not be asked; why.
    NotAsked(String),
}

impl<A> Questions<A> {
    pub(super) fn new(host: Arc<Sender>) -> Self {
        Questions { host, open: Mutex::new(Open { last: 0, waiting: HashMap::new() }) }
    }

    /// The host has answered. Runs on the thread that hears the host.
    pub(super) fn answered(&self, number: u64, answer: A) {
        let Some(Waiting { heard, answer: waiting }) = self.open.lock().waiting.remove(&number) else { return };
        heard(&answer);
        // Whoever asked may have given up.
        let _ = waiting.try_send(answer);
    }

    /// Asks what has that number, and waits for the answer.
    pub(super) fn ask(
        &self,
        ask: impl FnOnce(u64) -> ToHost,
        heard: impl FnOnce(&A) + Send + 'static,
    ) -> Result<A, Unanswered> {
        let (answer, answered) = sync_channel(1);
        let number = {
            let mut open = self.open.lock();
            if open.waiting.len() >= AT_ONCE {
                return Err(Unanswered::Late("the host has not answered the questions before this one".into()));
            }
            open.last += 1;
            let number = open.last;
            open.waiting.insert(number, Waiting { heard: Box::new(heard), answer });
            number
        };
        if let Err(error) = self.host.send(&ask(number), &[]) {
            self.open.lock().waiting.remove(&number);
            return Err(Unanswered::NotAsked(format!("the host cannot be asked: {error}")));
        }
        answered.recv_timeout(PATIENCE).map_err(|error| {
            let how = match error {
                RecvTimeoutError::Timeout => " in time, and may still do it",
                RecvTimeoutError::Disconnected => "",
            };
            Unanswered::Late(format!("the host has not answered{how}"))
        })
    }

    /// Tells the host something that has no answer.
    pub(super) fn tell(&self, what: &ToHost) {
        // Without a host this process ends.
        let _ = self.host.send(what, &[]);
    }
}

//! The circuit breaker of a callback: so many faults in so short a time, and it is called no more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::count::count;
use super::finding::{CallbackRef, Found, Signal, Signals};

/// Counts the recent faults of one callback, and tells when they are too many.
#[derive(Debug)]
pub struct Breaker {
    findings: Arc<Signals>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// When the last faults were, at most as many as are too many.
    Closed(VecDeque<Instant>),
    /// It was told, and nothing more is to be told.
    Open,
    /// The next one is too many.
    HalfOpen,
}

impl Breaker {
    /// Without faults so far; its limit is that of the findings.
    pub fn new(findings: Arc<Signals>) -> Self {
        Breaker { findings, state: Mutex::new(State::Closed(VecDeque::new())) }
    }

    /// That of another callback of the same host.
    pub(crate) fn another(&self) -> Self {
        Breaker::new(self.findings.clone())
    }

    /// The callback failed; returns whether that was one fault too many.
    pub(crate) fn fault(&self, what: &str, placed: impl FnOnce() -> CallbackRef) -> bool {
        let limits = &self.findings.limits;
        let mut state = self.state.lock();
        let reason = match &mut *state {
            State::Closed(recent) => {
                let now = Instant::now();
                recent.push_back(now);
                while recent.front().is_some_and(|then| now.duration_since(*then) > limits.within) {
                    recent.pop_front();
                }
                if limits.faults == 0 || recent.len() < limits.faults {
                    // Never more than can matter.
                    recent.truncate(limits.faults);
                    return false;
                }
                match (recent.len(), recent.front()) {
                    (many @ 2.., Some(first)) => {
                        let within = now.duration_since(*first);
                        format!("{} within {within:.1?}, the last: {what}", count(many as u64))
                    }
                    _ => format!("{}: {what}", count(1)),
                }
            }
            State::Open => return false,
            State::HalfOpen => format!("it failed its trial call: {what}"),
        };
        *state = State::Open;
        drop(state);
        self.tell(placed(), Found::TooManyFaults(reason));
        true
    }

    /// The callback is called again: from now on its faults count anew.
    pub(crate) fn reset(&self) {
        *self.state.lock() = State::Closed(VecDeque::new());
    }

    /// The callback is called once: a fault is one too many.
    pub fn try_once(&self) {
        *self.state.lock() = State::HalfOpen;
    }

    /// Something was found out about the callback.
    pub(crate) fn tell(&self, at: CallbackRef, what: Found) {
        self.findings.tell(Signal { at, what });
    }
}

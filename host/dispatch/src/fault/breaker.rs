//! The circuit breaker of a callback: too many faults in too short a time, and it is no longer called.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::count::count;
use super::signal::{CallbackRef, Found, Signal, Signals};

/// Counts the recent faults of one callback, and reports when there are too many.
#[derive(Debug)]
pub struct Breaker {
    signals: Arc<Signals>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// The times of the last faults, at most as many as the limit.
    Closed(VecDeque<Instant>),
    /// Reported; there is nothing more to report.
    Open,
    /// The next fault is one too many.
    HalfOpen,
}

impl Breaker {
    /// Without faults so far; the limit is that of the signals.
    pub fn new(signals: Arc<Signals>) -> Self {
        Breaker { signals, state: Mutex::new(State::Closed(VecDeque::new())) }
    }

    /// A new breaker for another callback of the same host.
    pub(crate) fn another(&self) -> Self {
        Breaker::new(self.signals.clone())
    }

    /// Counts a fault of the callback; returns whether it was one too many.
    pub(crate) fn fault(&self, what: &str, placed: impl FnOnce() -> CallbackRef) -> bool {
        let limits = &self.signals.limits;
        let mut state = self.state.lock();
        let reason = match &mut *state {
            State::Closed(recent) => {
                let now = Instant::now();
                recent.push_back(now);
                while recent.front().is_some_and(|then| now.duration_since(*then) > limits.within) {
                    recent.pop_front();
                }
                if limits.faults == 0 || recent.len() < limits.faults {
                    // Older faults cannot matter.
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
            State::Open => {
                drop(state);
                // Whoever acts on the report may not have been started yet.
                self.signals.start();
                return false;
            }
            State::HalfOpen => format!("it failed its trial call: {what}"),
        };
        *state = State::Open;
        drop(state);
        self.tell(placed(), Found::TooManyFaults(reason));
        true
    }

    /// The callback is called again: from now on its faults count again.
    pub(crate) fn reset(&self) {
        *self.state.lock() = State::Closed(VecDeque::new());
    }

    /// The callback is called once, on trial: a single fault is one too many.
    pub fn try_once(&self) {
        *self.state.lock() = State::HalfOpen;
    }

    /// Reports a signal about the callback.
    pub(crate) fn tell(&self, at: CallbackRef, what: Found) {
        self.signals.tell(Signal { at, what });
    }
}

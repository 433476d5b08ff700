//! Probation: a new generation whose callbacks fault too often, too soon, is given up.
//!
//! Faults are counted where they are found, in a dispatch; whoever waits for the end of the
//! probation acts on another thread.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::condvar::{Condvar, behind};
use crate::config::UpgradeLimits;

/// The probation of one generation.
#[derive(Debug)]
pub(crate) struct Probation {
    time: Duration,
    /// How many faults it takes; not 0.
    limit: u64,
    faults: AtomicU64,
    /// When its callbacks were published.
    began: OnceLock<Instant>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
enum State {
    On,
    /// It did not pass; the reason.
    Failed(String),
    Over,
}

impl Probation {
    /// `None` where the configuration asks for none.
    pub(crate) fn new(limits: &UpgradeLimits) -> Option<Self> {
        (limits.probation_faults > 0 && !limits.probation.is_zero()).then(|| Probation {
            time: limits.probation,
            limit: limits.probation_faults,
            faults: AtomicU64::new(0),
            began: OnceLock::new(),
            state: Mutex::new(State::On),
            changed: Condvar::default(),
        })
    }

    /// The callbacks are about to be published.
    pub(crate) fn begin(&self) {
        self.began.get_or_init(Instant::now);
    }

    /// One of its callbacks failed. Neither waits nor rolls back.
    #[cold]
    pub(crate) fn fault(&self, what: impl FnOnce() -> String) {
        // Relaxed: a count; one fault alone finds it at the limit.
        let count = self.faults.fetch_add(1, Ordering::Relaxed) + 1;
        if count != self.limit || self.left().is_zero() {
            return;
        }
        let after = self.time - self.left();
        self.give_up(|| format!("{count} fault(s) within {after:.1?}, the last in {}", what()));
    }

    /// It is not passed, unless it is over.
    #[cold]
    pub(crate) fn give_up(&self, reason: impl FnOnce() -> String) {
        let mut state = self.state.lock();
        if matches!(*state, State::On) && !self.left().is_zero() {
            *state = State::Failed(reason());
            self.changed.notify_all();
        }
    }

    /// Ends it: whoever waits is told that it passed.
    pub(crate) fn end(&self) {
        *self.state.lock() = State::Over;
        self.changed.notify_all();
    }

    /// Waits for its end; answers why it was not passed, if it was not.
    pub(crate) fn wait(&self) -> Option<String> {
        let mut state = self.state.lock();
        loop {
            match std::mem::replace(&mut *state, State::Over) {
                State::Failed(reason) => return Some(reason),
                State::On if !self.left().is_zero() => {
                    *state = State::On;
                    self.changed.wait(&mut state, Some(behind(self.left())));
                }
                State::On | State::Over => return None,
            }
        }
    }

    fn left(&self) -> Duration {
        self.began.get().map_or(self.time, |began| self.time.saturating_sub(began.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probation(faults: u64, time: Duration) -> Probation {
        let limits = UpgradeLimits { probation: time, probation_faults: faults, ..UpgradeLimits::default() };
        Probation::new(&limits).unwrap()
    }

    #[test]
    fn the_limit_is_the_first_fault_too_many() {
        let probation = probation(2, Duration::from_secs(3600));
        probation.begin();
        probation.fault(|| "one".into());
        assert!(matches!(*probation.state.lock(), State::On));
        probation.fault(|| "two".into());
        probation.fault(|| "three".into());
        let reason = probation.wait().unwrap();
        assert!(reason.starts_with("2 fault(s) within ") && reason.ends_with("the last in two"), "{reason}");
        assert_eq!(probation.wait(), None, "it is told once");
    }

    #[test]
    fn faults_behind_the_time_do_nothing() {
        let probation = probation(1, Duration::from_nanos(1));
        probation.begin();
        assert_eq!(probation.wait(), None);
        probation.fault(|| unreachable!("nobody asks"));
        assert_eq!(probation.wait(), None);
    }

    #[test]
    fn one_that_was_ended_is_passed() {
        let probation = probation(1, Duration::from_secs(3600));
        probation.begin();
        probation.end();
        probation.fault(|| "late".into());
        assert_eq!(probation.wait(), None);
    }

    #[test]
    fn zero_means_none() {
        assert!(Probation::new(&UpgradeLimits { probation_faults: 0, ..UpgradeLimits::default() }).is_none());
    }
}

//! Probation: a new generation whose callbacks fault too often, too soon, is rolled back.
//!
//! Faults are counted in the dispatch that finds them; what follows is done by another thread.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hookrail_model::config::UpgradeLimits;

use crate::condvar::deadline_after;
use crate::fault::count;

/// The probation of one generation.
#[derive(Debug)]
pub struct Probation {
    time: Duration,
    /// How many faults fail it; not 0.
    limit: u64,
    faults: AtomicU64,
    /// When its callbacks were published.
    began: OnceLock<Instant>,
    /// Whether it has been passed, failed or ended; exactly one of these happens, once.
    is_over: AtomicBool,
}

impl Probation {
    /// `None` if the configuration asks for no probation.
    pub fn new(limits: &UpgradeLimits) -> Option<Self> {
        (limits.probation_faults > 0 && !limits.probation.is_zero()).then(|| Probation {
            time: limits.probation,
            limit: limits.probation_faults,
            faults: AtomicU64::new(0),
            began: OnceLock::new(),
            is_over: AtomicBool::new(false),
        })
    }

    /// Begins the probation; the callbacks are about to be published.
    pub fn begin(&self) {
        self.began.get_or_init(Instant::now);
    }

    /// Counts a fault of one of its callbacks; returns why the probation failed, if that was one fault too many.
    #[cold]
    pub(crate) fn fault(&self, what: impl FnOnce() -> String) -> Option<String> {
        // Relaxed: a counter; exactly one fault finds it at the limit.
        let faults = self.faults.fetch_add(1, Ordering::Relaxed) + 1;
        if faults != self.limit || self.left().is_zero() {
            return None;
        }
        let after = self.time - self.left();
        self.give_up(|| format!("{} within {after:.1?}, the last in {}", count(faults), what()))
    }

    /// Fails the probation and returns why, unless it was over already.
    #[cold]
    pub(crate) fn give_up(&self, reason: impl FnOnce() -> String) -> Option<String> {
        (!self.left().is_zero() && self.end()).then(reason)
    }

    /// Passes the probation if its time is over; returns whether it has been passed. A passed probation can no longer
    /// fail.
    pub fn pass(&self) -> bool {
        self.left().is_zero() && self.end()
    }

    /// Ends the probation; returns whether it was still running.
    pub fn end(&self) -> bool {
        // Relaxed: only one of all callers finds it false, and it passes on no data.
        !self.is_over.swap(true, Ordering::Relaxed)
    }

    /// When its time is over, unless it has ended already.
    pub fn ends(&self) -> Option<Instant> {
        // Relaxed: the thread that ends it reports the consequences by other means.
        (!self.is_over.load(Ordering::Relaxed)).then(|| deadline_after(self.left()))
    }

    fn left(&self) -> Duration {
        self.began.get().map_or(self.time, |began| self.time.saturating_sub(began.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probation(faults: u64, time: Duration) -> Probation {
        let limits = UpgradeLimits::default().with_probation(time).with_probation_faults(faults);
        Probation::new(&limits).unwrap()
    }

    #[test]
    fn the_limit_is_the_first_fault_too_many() {
        let probation = probation(2, Duration::from_secs(3600));
        probation.begin();
        assert_eq!(probation.fault(|| "one".into()), None);
        let reason = probation.fault(|| "two".into()).unwrap();
        assert!(reason.starts_with("2 faults within ") && reason.ends_with("the last in two"), "{reason}");
        assert_eq!(probation.fault(|| unreachable!("nobody asks")), None, "it is told once");
        assert_eq!(probation.give_up(|| unreachable!("nobody asks")), None);
        assert!(!probation.pass());
    }

    #[test]
    fn faults_behind_the_time_do_nothing() {
        let probation = probation(1, Duration::from_nanos(1));
        assert!(!probation.pass(), "it has not begun");
        probation.begin();
        while !probation.left().is_zero() {}
        assert_eq!(probation.fault(|| unreachable!("nobody asks")), None);
        assert!(probation.pass());
        assert!(!probation.pass(), "it is told once");
    }

    #[test]
    fn one_that_was_ended_is_not_given_up() {
        let probation = probation(1, Duration::from_secs(3600));
        probation.begin();
        assert!(probation.end());
        assert_eq!(probation.fault(|| unreachable!("nobody asks")), None);
    }

    #[test]
    fn zero_means_none() {
        assert!(Probation::new(&UpgradeLimits::default().with_probation_faults(0)).is_none());
    }
}

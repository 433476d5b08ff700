//! What tests of running callbacks share: watching a callback, and waiting for a condition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Watches one callback: how often it runs, whether it was dropped, and whether it runs after that.
#[derive(Clone, Debug, Default)]
pub struct Probe(Arc<State>);

#[derive(Debug, Default)]
struct State {
    calls: AtomicUsize,
    dropped: AtomicBool,
    late: AtomicBool,
}

impl Probe {
    /// To be moved into the callback, which reports each call to it.
    pub fn guard(&self) -> Guard {
        Guard(self.0.clone())
    }

    /// How often it ran.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Whether it was dropped.
    pub fn is_dropped(&self) -> bool {
        self.0.dropped.load(Ordering::SeqCst)
    }

    /// Whether it ran after it had been dropped, which must never happen.
    pub fn was_late(&self) -> bool {
        self.0.late.load(Ordering::SeqCst)
    }
}

/// Lives in a callback.
#[derive(Debug)]
pub struct Guard(Arc<State>);

impl Guard {
    /// Called at the beginning of a call.
    pub fn called(&self) {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        self.check();
    }

    /// Checks whether the callback still exists.
    pub fn check(&self) {
        self.0.late.fetch_or(self.0.dropped.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.store(true, Ordering::SeqCst);
    }
}

/// Longer than anything here takes on the slowest machine; only a failure waits this long.
pub const LONG: Duration = Duration::from_secs(120);

/// Waits for a condition that another thread brings about.
///
/// # Panics
/// If it does not come about.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

//! The counts of one callback.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::SystemTime;

use hookrail_abi::verdict::raw;
use hookrail_model::stats::{LastFault, Latency};
use parking_lot::Mutex;

use super::histogram::{Histogram, latency};
use super::shards::{Shards, add};

/// The counts of a callback at its point. A new build of its plugin continues those of the old one.
#[derive(Debug, Default)]
pub struct Record {
    pub(crate) counts: Shards<Counts>,
    /// The number of calls, as far as the tallies of its chains have been collected.
    calls: AtomicU64,
    /// The number of faults; counted at every level.
    faults: AtomicU64,
    /// The number of dispatches that came to it and did not call it; counted at every level.
    missed: AtomicU64,
    /// The number of calls that exceeded the budget.
    slow: AtomicU64,
    /// The number of calls that were found stuck.
    stuck: AtomicU64,
    /// The number of those calls still running.
    stuck_now: AtomicU64,
    last: Mutex<Option<LastFault>>,
}

/// The counts of one callback by one thread, in a cache line of their own.
///
/// # Invariants
/// Only its thread writes it. `histogram` is null, or came from a box.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Counts {
    pub(crate) stops: AtomicU64,
    pub(crate) denials: AtomicU64,
    histogram: AtomicPtr<Histogram>,
}

impl Record {
    /// Adds `times` calls.
    pub(crate) fn called(&self, times: u64) {
        // Relaxed, here and below: counters.
        self.calls.fetch_add(times, Ordering::Relaxed);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Counts a fault; returns the number of faults so far.
    pub(crate) fn fault(&self, what: &str, generation: Option<u64>) -> u64 {
        *self.last.lock() = Some(LastFault::new(SystemTime::now(), generation, what));
        self.faults.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Counts a dispatch in which the host answered in its place.
    pub(crate) fn miss(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn times_missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    pub(crate) fn last_fault(&self) -> Option<LastFault> {
        self.last.lock().clone()
    }

    /// Counts a call that exceeded its budget; returns the number of those so far.
    pub(crate) fn slow(&self) -> u64 {
        self.slow.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn times_slow(&self) -> u64 {
        self.slow.load(Ordering::Relaxed)
    }

    /// Counts a call that was found stuck.
    pub fn stuck(&self) {
        self.stuck.fetch_add(1, Ordering::Relaxed);
        self.stuck_now.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that was found stuck has returned.
    pub fn came_back(&self) {
        self.stuck_now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn stuck_now(&self) -> u64 {
        self.stuck_now.load(Ordering::Relaxed)
    }

    pub(crate) fn times_stuck(&self) -> u64 {
        self.stuck.load(Ordering::Relaxed)
    }

    /// The sum of one of the counts over all threads.
    pub(crate) fn sum(&self, count: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.counts.all().map(|counts| count(counts).load(Ordering::Relaxed)).sum()
    }

    /// The durations of its calls, if any was timed.
    pub(crate) fn latency(&self) -> Option<Latency> {
        latency(self.counts.all().filter_map(Counts::histogram))
    }
}

impl Counts {
    /// Counts a decision. Called by the thread whose counts they are.
    pub(crate) fn decided(&self, verdict: u32) {
        add(if verdict & 0xff == raw::DENY { &self.denials } else { &self.stops }, 1);
    }

    /// Records the duration of a call. Called by the thread whose counts they are.
    pub(crate) fn time(&self, nanoseconds: u64) {
        // Relaxed: only this thread writes it.
        let mut histogram = self.histogram.load(Ordering::Relaxed);
        if histogram.is_null() {
            histogram = Box::into_raw(Box::default());
            // Release: pairs with the Acquire in `histogram`.
            // INVARIANT: it came from a box.
            self.histogram.store(histogram, Ordering::Release);
        }
        // SAFETY: by the type invariant it is a histogram, which stays as long as the counts.
        unsafe { (*histogram).note(nanoseconds) }
    }

    fn histogram(&self) -> Option<&Histogram> {
        // Acquire: pairs with the Release in `time`.
        // SAFETY: by the type invariant it is null, or a histogram that stays as long as the counts.
        unsafe { self.histogram.load(Ordering::Acquire).as_ref() }
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        let histogram = std::mem::replace(self.histogram.get_mut(), null_mut());
        if !histogram.is_null() {
            // SAFETY: by the type invariant it came from a box, and nobody else has it.
            drop(unsafe { Box::from_raw(histogram) });
        }
    }
}

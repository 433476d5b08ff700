//! The counters of a run, which other threads may read.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// The counters. One thread counts, and any thread may read; when no message is in flight, `messages` is the sum of
/// `delivered` and `denied`.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) messages: Counter,
    pub(super) delivered: Counter,
    pub(super) denied: Counter,
    pub(super) bytes: Counter,
    pub(super) bad_lines: Counter,
    pub(super) long_lines: Counter,
}

/// A number that one thread increments.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counters {
    /// The counters under the names of the summary.
    pub(super) fn to_json(&self) -> Value {
        // The answered messages first: then no unanswered message can seem to be answered.
        let (delivered, denied) = (self.delivered.value(), self.denied.value());
        json!({
            "in": self.messages.value(),
            "out": delivered,
            "denied": denied,
            "bytes": self.bytes.value(),
            "bad_lines": self.bad_lines.value(),
            "long_lines": self.long_lines.value(),
        })
    }
}

impl Counter {
    /// Must be called only by the thread that counts.
    #[inline]
    pub(super) fn add(&self, count: u64) {
        // No atomic addition: this thread is the only writer. Release: a reader that sees a message answered also sees
        // it read.
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Release);
    }

    #[inline]
    pub(super) fn value(&self) -> u64 {
        // Acquire: pairs with the Release of `add`.
        self.0.load(Ordering::Acquire)
    }
}

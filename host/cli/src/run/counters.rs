//! The counts of a run, which other threads may look at.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// What is counted. One thread counts, any may read; when nothing is on its way, `messages` is
/// `delivered` and `denied` together.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) messages: Counter,
    pub(super) delivered: Counter,
    pub(super) denied: Counter,
    pub(super) bytes: Counter,
    pub(super) bad_lines: Counter,
    pub(super) long_lines: Counter,
}

/// A number that one thread counts up.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counters {
    /// By the names of the summary.
    pub(super) fn to_json(&self) -> Value {
        // What was answered first: then no message can seem to be answered that is not.
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
    /// Only for the thread that counts.
    #[inline]
    pub(super) fn add(&self, count: u64) {
        // No atomic addition: nobody else writes. Release: who sees a message answered sees it read.
        self.0.store(self.0.load(Ordering::Relaxed) + count, Ordering::Release);
    }

    #[inline]
    pub(super) fn value(&self) -> u64 {
        // Acquire: pairs with the Release of `add`.
        self.0.load(Ordering::Acquire)
    }
}

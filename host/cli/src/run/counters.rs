//! The counters of a run, which other threads may read.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// The counters. One thread counts, and any thread may read; when no message is in flight, what came in is the sum of
/// `delivered` and `denied`.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// The messages that came in, where one thread does everything.
    pub(super) messages: Counter,
    /// The same, for each of several threads.
    on_threads: Box<[Apart]>,
    pub(super) delivered: Counter,
    pub(super) denied: Counter,
    pub(super) bytes: Counter,
    pub(super) bad_lines: Counter,
    pub(super) long_lines: Counter,
}

/// A number that one thread increments.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

/// A counter that shares no cache line with another one.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart(Counter);

impl Counters {
    /// With a counter of messages for each of that many threads.
    pub(super) fn new(threads: usize) -> Self {
        let on_threads = if threads > 1 { (0..threads).map(|_| Apart::default()).collect() } else { Box::default() };
        Counters { on_threads, ..Counters::default() }
    }

    /// The counter of messages of one of several threads.
    #[inline]
    pub(super) fn on_thread(&self, index: usize) -> &Counter {
        &self.on_threads[index].0
    }

    /// How many messages came in.
    pub(super) fn messages(&self) -> u64 {
        self.messages.value() + self.on_threads.iter().map(|thread| thread.0.value()).sum::<u64>()
    }

    /// The counters under the names of the summary.
    pub(super) fn to_json(&self) -> Value {
        // The answered messages first: then no unanswered message can seem to be answered.
        let (delivered, denied) = (self.delivered.value(), self.denied.value());
        json!({
            "in": self.messages(),
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

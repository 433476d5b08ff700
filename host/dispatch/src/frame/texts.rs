//! The part of a call frame that must be freed: texts.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::reported::{Panic, Reported};

/// What was reported on a thread, until it is asked for.
pub(super) struct Texts {
    /// The last reported text.
    pub(super) reported: Cell<Option<Reported>>,
    /// The number of the last denial, unique across threads.
    pub(super) denial: Cell<u64>,
    /// The reason of that denial, if a callback gave one.
    pub(super) reason: Cell<Option<String>>,
    /// The last panic, until its outcome is known.
    pub(super) panic: Cell<Option<Panic>>,
}

impl Default for Texts {
    fn default() -> Self {
        // Each thread's range has room for more denials than a thread ever makes; never 0.
        static THREADS: AtomicU64 = AtomicU64::new(1 << 40);
        // Relaxed: only distinctness matters.
        let denial = Cell::new(THREADS.fetch_add(1 << 40, Ordering::Relaxed));
        Texts { reported: Cell::default(), denial, reason: Cell::default(), panic: Cell::default() }
    }
}

/// Frees the texts of its thread when the thread ends.
pub(super) struct Owner(pub(super) fn());

impl Drop for Owner {
    fn drop(&mut self) {
        (self.0)();
    }
}

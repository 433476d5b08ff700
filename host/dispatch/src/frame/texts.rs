//! The part of a call frame that has to be freed: texts.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::said::{Panic, Reported};

/// What was said on a thread, until somebody asks.
pub(super) struct Texts {
    /// The last text.
    pub(super) said: Cell<Option<Reported>>,
    /// The number of the last denial; no other thread has it.
    pub(super) denial: Cell<u64>,
    /// Why that came, if a callback said so.
    pub(super) reason: Cell<Option<String>>,
    /// The last panic, until it is known what became of it.
    pub(super) panic: Cell<Option<Panic>>,
}

impl Default for Texts {
    fn default() -> Self {
        // Below it there is room for more denials than a thread ever sees; never 0.
        static THREADS: AtomicU64 = AtomicU64::new(1 << 40);
        // Relaxed: only distinctness matters.
        let denial = Cell::new(THREADS.fetch_add(1 << 40, Ordering::Relaxed));
        Texts { said: Cell::default(), denial, reason: Cell::default(), panic: Cell::default() }
    }
}

/// Frees the texts of its thread when the thread ends.
pub(super) struct Owner(pub(super) fn());

impl Drop for Owner {
    fn drop(&mut self) {
        (self.0)();
    }
}

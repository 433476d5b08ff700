//! The counters that a soak and the plugin it replaces share. They are in the memory of the soak, and this file is
//! compiled into both.

use std::sync::atomic::AtomicU64;

/// The header in which a generation identifies itself.
pub const STAMP: &str = "generation";

/// The counters; they only grow, and cover all generations together.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Ledger {
    /// Generations that were started, which is the number of the last one.
    pub started: AtomicU64,
    /// Generations whose value was dropped.
    pub dropped: AtomicU64,
    /// Messages that were stamped.
    pub stamped: AtomicU64,
    /// Thread-locals that were initialised, or threads that were started.
    pub begun: AtomicU64,
    /// Thread-locals that were dropped, or threads that ended.
    pub ended: AtomicU64,
}

//! What a soak and the plugin it replaces count together. It lies in the memory of the soak, and is
//! compiled into both.

use std::sync::atomic::AtomicU64;

/// The header in which a generation says who it is.
pub const STAMP: &str = "generation";

/// The counters; all of them only grow, and are of every generation together.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Ledger {
    /// Generations that were started: the last one's number.
    pub started: AtomicU64,
    /// Generations whose value was dropped.
    pub dropped: AtomicU64,
    /// Messages that were stamped.
    pub stamped: AtomicU64,
    /// Thread-locals that were filled, or threads that were started.
    pub begun: AtomicU64,
    /// Thread-locals that were dropped, or threads that came to their end.
    pub ended: AtomicU64,
}

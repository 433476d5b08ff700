//! Whether a thread still has its thread-locals.
//!
//! Schemas are compiled and checked by a library that keeps a thread-local of its own, and aborts the process where that
//! is gone: in the destructors of thread-locals that are older than it, and in those of keys. Ours is made just before
//! the library's, so it is gone at the same time.

use hookrail_model::error::ApiMisuse;

/// There to be destroyed.
struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {}
}

thread_local! {
    static ALIVE: Alive = const { Alive };
}

/// # Errors
/// If this thread is ending.
pub(crate) fn check() -> Result<(), ApiMisuse> {
    ALIVE.try_with(|_| ()).map_err(|_| ApiMisuse::ThreadEnding)
}

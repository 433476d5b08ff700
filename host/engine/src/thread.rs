//! Whether a thread can load a plugin, or configure one.

use hookrail_loader::descriptors;
use hookrail_model::error::ApiMisuse;

/// Its destruction tells that a thread is ending.
struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {}
}

thread_local! {
    static ALIVE: Alive = const { Alive };
}

/// # Errors
/// If this thread is ending, or has descriptors of its own.
pub(crate) fn can_load() -> Result<(), ApiMisuse> {
    is_alive()?;
    // The library's copy is closed by another thread.
    if descriptors::are_own() { Err(ApiMisuse::OwnDescriptors) } else { Ok(()) }
}

/// Schemas are compiled and checked by a library that keeps a thread-local of its own, and aborts the process where that
/// is gone: in the destructors of thread-locals that are older than it, and in those of keys. Ours is made just before
/// the library's, so it is gone at the same time.
///
/// # Errors
/// If this thread is ending.
pub(crate) fn is_alive() -> Result<(), ApiMisuse> {
    ALIVE.try_with(|_| ()).map_err(|_| ApiMisuse::ThreadEnding)
}

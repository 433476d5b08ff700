//! The child of a fork has one thread; what the others had in hand stays as it was when they were
//! copied.

/// Has the children of all forks from now on put right, by `handler`, what other threads left in disorder. Once for
/// each handler.
///
/// The handler stores to atomics and takes locks that nobody holds; it waits for nothing.
pub fn in_children(handler: unsafe extern "C" fn()) {
    // SAFETY: the handler is a function, which stays. Registering fails only for lack of memory, and then a child may
    // wait for ever, which is no reason to refuse reading or loading here.
    unsafe { libc::pthread_atfork(None, None, Some(handler)) };
}

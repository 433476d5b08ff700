//! The child of a fork has one thread; what other threads were doing stays as it was at the time of the fork.

/// Registers `handler` to run in the children of all forks from now on, and to repair what other threads left behind.
/// Call it once for each handler.
///
/// The handler may store to atomics and take locks that no thread holds; it must not wait.
pub fn in_children(handler: unsafe extern "C" fn()) {
    // SAFETY: the handler is a function, which stays. Registering fails only for lack of memory, and then a child may
    // wait for ever, which is no reason to refuse reading or loading here.
    unsafe { libc::pthread_atfork(None, None, Some(handler)) };
}

//! Threads of the host that run code of plugins.

use std::io;
use std::thread::{Builder, JoinHandle};

use super::{clear_stack, register_thread};

/// Starts a thread that [runs code of plugins](running).
///
/// # Errors
/// If the system starts none.
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(|| running(run))
}

/// Runs code of plugins on a thread that ends with it: what is on its stack, which may be that of the thread before it, is
/// not taken for a thread of a plugin's own, and nothing of it is left there for the thread after it.
pub fn running<T>(run: impl FnOnce() -> T) -> T {
    register_thread();
    let ran = call(run);
    clear_stack();
    ran
}

/// With a frame of its own, which is gone when it has returned.
#[inline(never)]
fn call<T>(run: impl FnOnce() -> T) -> T {
    run()
}

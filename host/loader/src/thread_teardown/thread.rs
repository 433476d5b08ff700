//! What is known of a thread, until its very end.

use std::cell::Cell;
use std::ptr::null;
use std::sync::atomic::{AtomicU64, Ordering};

/// A thread, unique for the life of the process: numbers are not reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThreadId(u64);

thread_local! {
    // All without `Drop`, so that they exist until the very end of a thread.
    static ID: Cell<u64> = const { Cell::new(0) };
    /// Whether it is running a destructor.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
    /// The teardown of the library that started this thread, until the thread has ended.
    static STARTED_BY: Cell<*const ()> = const { Cell::new(null()) };
}

/// The id of this thread.
pub(super) fn id() -> ThreadId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    if ID.get() == 0 {
        // Relaxed: only distinctness matters.
        ID.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    }
    ThreadId(ID.get())
}

/// Counts this thread as one of the library's with that teardown; returns the previous teardown, null for none.
pub(super) fn set_started_by<T>(teardown: *const T) -> *const T {
    STARTED_BY.replace(teardown.cast()).cast()
}

/// Whether this thread is one of the library's, and has not ended.
pub(super) fn is_started_by<T>(teardown: *const T) -> bool {
    STARTED_BY.get() == teardown.cast()
}

/// Runs a destructor.
pub(super) fn while_running(run: impl FnOnce()) {
    let outer = IS_RUNNING.replace(true);
    run();
    IS_RUNNING.set(outer);
}

/// Whether this thread is running a destructor.
pub(super) fn is_running() -> bool {
    IS_RUNNING.get()
}

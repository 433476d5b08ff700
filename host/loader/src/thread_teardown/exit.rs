//! What the system runs for a thread's part: two functions of the host.
//!
//! One runs with the destructors of thread-locals, and runs those of libraries. The other is the destructor of the
//! host's single key: it runs after all thread-locals, runs the destructors of keys, and is the last code that a thread
//! runs of any library.

use std::cell::Cell;
use std::ffi::c_void;
use std::io;
use std::ptr::null;
use std::sync::Arc;

use hookrail_dispatch::reclaim;
use once_cell::sync::OnceCell;

use super::{ThreadTeardown, is_lost, run_everywhere, system, thread};

thread_local! {
    /// Whether the system will call `run_destructors`. Without `Drop`, so that it exists until the very end of a
    /// thread.
    static IS_ARMED: Cell<bool> = const { Cell::new(false) };
}

impl ThreadTeardown {
    /// A teardown for a library that is about to be bound; it is known to all threads until [`gone`](Self::gone).
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        prepare()?;
        Ok(ThreadTeardown::known())
    }
}

/// Makes this thread run destructors of thread-locals when it exits. Called before the first of them is recorded.
pub(super) fn arm() {
    if !IS_ARMED.replace(true) {
        system::at_thread_exit(run_destructors);
    }
}

/// Makes this thread call `run_last` when it exits. Called before a key's value, or a destructor, is recorded.
pub(super) fn arm_last() {
    // The destructor is called for any value but null.
    const ARMED: *const c_void = std::ptr::without_provenance(1);
    if let Some(key) = LAST_KEY.get() {
        system::set_specific(*key, ARMED);
    }
}

/// The host's key; created with the first teardown.
static LAST_KEY: OnceCell<u32> = OnceCell::new();

/// Creates the host's key. A process has 1,024.
fn prepare() -> io::Result<()> {
    let make = || {
        let mut key = 0;
        match system::key_create(&mut key, Some(run_last)) {
            0 => Ok(key),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    };
    LAST_KEY.get_or_try_init(make).map(drop)
}

/// Counts this thread as one of the library's, until it has run the last of it.
///
/// The teardown lives as long, since threads that have not ended keep it.
pub(super) fn adopt(teardown: Arc<ThreadTeardown>) {
    arm();
    arm_last();
    thread::set_started_by(Arc::into_raw(teardown));
}

/// Runs the destructors of this thread's thread-locals.
///
/// # Safety
/// The thread is ending: nobody on it uses the thread-locals of libraries any more.
unsafe extern "C" fn run_destructors(_: *mut c_void) {
    run_everywhere(ThreadTeardown::run_destructors);
    // A thread-local of the host that records something from now on arms it again.
    IS_ARMED.set(false);
}

/// Runs the rest of what this thread has of libraries, and says that it has ended.
///
/// # Safety
/// The thread is ending, and runs no code of the library that started it after this.
unsafe extern "C" fn run_last(_: *mut c_void) {
    run_everywhere(ThreadTeardown::run_own);
    // The next thread gets this stack, and is not to be taken for one that runs what ran here.
    reclaim::clear_stack();
    let started_by = thread::set_started_by(null::<ThreadTeardown>());
    if !started_by.is_null() {
        // SAFETY: `adopt` made it from an `Arc`, and it is taken once.
        let teardown = unsafe { Arc::from_raw(started_by) };
        if !is_lost() {
            teardown.state.lock().threads -= 1;
            teardown.changed.notify_all();
        }
    }
}

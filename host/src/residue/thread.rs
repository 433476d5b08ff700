//! What the system knows of a thread's part: two functions of the host.
//!
//! One runs with the destructors of thread-locals, and runs those of libraries. The other is the
//! destructor of the one key that the host has: it runs behind all thread-locals, runs the
//! destructors of keys, and is the last that a thread runs of any library.

use std::cell::Cell;
use std::ffi::c_void;
use std::io;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::sync::OnceCell;

use super::{Residue, is_lost, run_everywhere, system};

/// A thread, for as long as the process lives: numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThreadId(u64);

thread_local! {
    // All without `Drop`, so that they are there to the very end of a thread.
    static ID: Cell<u64> = const { Cell::new(0) };
    /// Whether the system will call `run_destructors`.
    static IS_ARMED: Cell<bool> = const { Cell::new(false) };
    /// Whether it runs a destructor.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
    /// The residue of the library that started this thread, until the thread has ended.
    static STARTED_BY: Cell<*const Residue> = const { Cell::new(null()) };
}

pub(super) fn id() -> ThreadId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    if ID.get() == 0 {
        // Relaxed: only distinctness matters.
        ID.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
    }
    ThreadId(ID.get())
}

/// Has this thread run destructors of thread-locals when it ends. Before it notes the first of
/// them.
pub(super) fn arm() {
    if !IS_ARMED.replace(true) {
        system::at_thread_exit(run_destructors);
    }
}

/// Has this thread call `run_last` when it ends. Before it notes a key's value, or a destructor.
pub(super) fn arm_last() {
    // Any value but null has its destructor called.
    const ARMED: *const c_void = std::ptr::without_provenance(1);
    if let Some(key) = LAST_KEY.get() {
        system::set_specific(*key, ARMED);
    }
}

/// The host's key; there from the first residue on.
static LAST_KEY: OnceCell<u32> = OnceCell::new();

/// Makes the host's key. A process has 1,024.
pub(super) fn prepare() -> io::Result<()> {
    let make = || {
        let mut key = 0;
        match system::key_create(&mut key, Some(run_last)) {
            0 => Ok(key),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    };
    LAST_KEY.get_or_try_init(make).map(drop)
}

/// This thread is one of the library's, and counts as such until it has run the last of it.
///
/// The residue stays as long, since threads that have not ended keep it.
pub(super) fn adopt(residue: Arc<Residue>) {
    arm();
    arm_last();
    STARTED_BY.set(Arc::into_raw(residue));
}

/// Whether this thread is one of the library's, and has not ended.
pub(super) fn is_started_by(residue: &Arc<Residue>) -> bool {
    STARTED_BY.get() == Arc::as_ptr(residue)
}

/// Runs a destructor.
pub(super) fn while_running(run: impl FnOnce()) {
    let outer = IS_RUNNING.replace(true);
    run();
    IS_RUNNING.set(outer);
}

/// Whether this thread is in a destructor.
pub(super) fn is_running() -> bool {
    IS_RUNNING.get()
}

unsafe extern "C" fn run_destructors(_: *mut c_void) {
    run_everywhere(Residue::run_destructors);
    // Whatever is noted from now on, by a thread-local of the host, arms it again.
    IS_ARMED.set(false);
}

unsafe extern "C" fn run_last(_: *mut c_void) {
    run_everywhere(Residue::run_own);
    let started_by = STARTED_BY.replace(null());
    if !started_by.is_null() {
        // SAFETY: `adopt` made it from an `Arc`, and it is taken once.
        let residue = unsafe { Arc::from_raw(started_by) };
        if !is_lost() {
            residue.state.lock().threads -= 1;
            residue.changed.notify_all();
        }
    }
}

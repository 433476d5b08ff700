//! What threads would still run of a library after it has ended: destructors of its thread-locals, destructors of the
//! values of its keys, and the threads it started.
//!
//! A library registers all of these with the host ([`service`]), and the system is given only code of the host
//! ([`exit`]). So when a thread exits, it finds here what is left to run, and finds nothing if that was run or
//! cancelled before.
//!
//! While a library is being unloaded, each thread runs its own part of the teardown at a quiescent point: on leaving a
//! dispatch ([`attend`]), in `Ticket::wait`, or when it exits. The parts of threads that do not reach one are cancelled
//! at the deadline: they are never run, and their memory is lost.

mod exit;
mod service;
mod state;
mod system;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hookrail_abi::boundary::UnloadLibrary;
use hookrail_dispatch::{Condvar, fork, frame, reclaim};
use once_cell::sync::OnceCell;
use parking_lot::Mutex;

pub(crate) use service::TABLE;

use crate::diagnostics;
pub(crate) use state::Left;
use state::{Next, State};

/// The teardowns of all libraries that are bound and not yet unmapped.
static ALL: Mutex<Vec<Arc<ThreadTeardown>>> = Mutex::new(Vec::new());

/// Set in the child of a fork if a thread that does not exist there had locked one of the records.
///
/// Such a lock is never released, and a change may be half done. So all records are left alone: nothing more is
/// recorded, and nothing on record is run. That only costs the child memory, since the system was given only code of
/// the host.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// What threads would still run of one library.
#[derive(Debug, Default)]
pub(crate) struct ThreadTeardown {
    state: Mutex<State>,
    changed: Condvar,
}

impl ThreadTeardown {
    /// A teardown that is known to all threads from now on, until [`gone`](Self::gone).
    fn known() -> Arc<Self> {
        let teardown = Arc::new(ThreadTeardown::default());
        ALL.lock().push(teardown.clone());
        teardown
    }

    /// The value by which the library identifies it.
    pub(crate) fn as_library(self: &Arc<Self>) -> *const UnloadLibrary {
        Arc::as_ptr(self).cast()
    }

    /// The first of the system's functions that has not been seen here yet. If the library has used both functions, it
    /// is linked to the system's, and the host knows nothing of its use.
    pub(crate) fn unseen(&self) -> Option<&'static str> {
        let state = self.state.lock();
        match (state.seen_destructor, state.seen_value) {
            (false, _) => Some("__cxa_thread_atexit_impl"),
            (true, false) => Some("pthread_setspecific"),
            (true, true) => None,
        }
    }

    /// Why the library asked never to be closed, if it did.
    pub(crate) fn kept(&self) -> Option<String> {
        self.state.lock().kept.clone()
    }

    /// From now on each thread runs its part at a quiescent point. The library's callbacks must not be called any more.
    pub(crate) fn leave(&self) {
        self.state.lock().leaving = true;
        reclaim::ask_all(attend);
    }

    /// Waits until nothing is left, or until `deadline`. Runs the part of this thread. At the deadline, cancels the
    /// parts of threads that did not reach a quiescent point, and adds their number to `skipped`.
    pub(crate) fn settle(&self, deadline: Instant, skipped: &mut usize) -> Result<(), Left> {
        const LONGEST: Duration = Duration::from_millis(5);
        let mut pause = Duration::from_micros(50);
        loop {
            self.run_own();
            let mut state = self.state.lock();
            let is_late = Instant::now() >= deadline;
            match state.left() {
                None if state.is_empty() => return Ok(()),
                None if is_late => {
                    *skipped += state.cancel();
                    return Ok(());
                }
                Some(left) if is_late => return Err(left),
                // No other thread has anything to run.
                Some(_) if state.is_empty() => {}
                // Even while threads run: one may wait for something that another thread's part holds.
                _ => reclaim::ask_all(attend),
            }
            self.changed.wait(&mut state, Some(Instant::now() + pause));
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// What the library still leaves with threads is discarded and never run: its last code runs while it is closed.
    pub(crate) fn discard(&self) {
        self.state.lock().closed = true;
    }

    /// As [`discard`](Self::discard), unless something is left after all; returns whether nothing is.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state.lock();
        state.closed |= state.left().is_none() && state.is_empty();
        state.closed
    }

    /// The library is unmapped: gives its keys back.
    pub(crate) fn gone(self: Arc<Self>) {
        ALL.lock().retain(|teardown| !Arc::ptr_eq(teardown, &self));
        for key in self.state.lock().take_keys() {
            system::key_delete(key);
        }
    }

    /// The library stays forever, and so does this: threads still look for it when they exit.
    pub(crate) fn stay(self: Arc<Self>) {
        let mut state = self.state.lock();
        (state.leaving, state.closed) = (false, false);
        drop(state);
        // The library's pointer to it stays valid.
        std::mem::forget(self);
    }

    /// Runs the part of this thread; returns whether there was anything to run.
    fn run_own(&self) -> bool {
        /// As in POSIX: a destructor may leave another value under its key, but not endlessly.
        const ROUNDS: usize = 4;
        let me = thread::id();
        let mut ran = self.run_destructors();
        for _ in 0..ROUNDS {
            // What a destructor leaves under its key is for the next round. Each value stays on record until its
            // destructor counts as running, so that the library cannot be closed in between.
            let keys = self.state.lock().keys_of(me);
            if keys.is_empty() {
                return ran;
            }
            for key in keys.into_iter().rev() {
                ran |= self.run_one(|state| state.take_value(me, key));
            }
            // A key's destructor may initialise a thread-local.
            ran |= self.run_destructors();
        }
        self.state.lock().forget_values(me);
        ran
    }

    /// Runs the destructors of this thread's thread-locals, the latest first.
    fn run_destructors(&self) -> bool {
        let me = thread::id();
        let mut ran = false;
        while self.run_one(|state| state.next_destructor(me)) {
            ran = true;
        }
        ran
    }

    /// Takes one item off the record and runs it, if there is one.
    fn run_one(&self, take: impl FnOnce(&mut State) -> Option<Next>) -> bool {
        let mut state = self.state.lock();
        let Some(Next { run, argument }) = take(&mut state) else { return false };
        state.running += 1;
        drop(state);
        // SAFETY: the library handed the two over together for this thread to run once, and it is not
        // closed while `running` counts us.
        thread::while_running(|| unsafe { run(argument) });
        self.state.lock().running -= 1;
        self.changed.notify_all();
        true
    }
}

/// Runs the parts of this thread of all libraries that are being unloaded. The thread is in no callback.
///
/// Other code of a library may still be on the stack, using what this would destroy: it logs, and the subscriber
/// dispatches. Such a thread runs its part at a later quiescent point, or when it exits.
pub fn attend() {
    if thread::is_running() || frame::is_calling() {
        return;
    }
    diagnostics::attend();
    let is_meant = |teardown: &&Arc<ThreadTeardown>| {
        teardown.state.lock().leaving && !thread::is_started_by(Arc::as_ptr(teardown))
    };
    for teardown in all().iter().filter(is_meant) {
        teardown.run_own();
    }
}

impl ThreadTeardown {
    /// Whether a thread is using it right now.
    fn is_held(&self) -> bool {
        self.state.is_locked() || self.changed.is_held()
    }
}

/// Calls `run` for all libraries until none of them has anything left for this thread.
fn run_everywhere(run: impl Fn(&ThreadTeardown) -> bool) {
    loop {
        // For all of them, even if the first one had something.
        if all().iter().filter(|teardown| run(teardown)).count() == 0 {
            return;
        }
    }
}

/// All records; empty if waiting for them might never end.
fn all() -> Vec<Arc<ThreadTeardown>> {
    if is_lost() { Vec::new() } else { ALL.lock().clone() }
}

fn is_lost() -> bool {
    // Relaxed: the child's first thread sets it before it does anything else.
    IS_LOST.load(Ordering::Relaxed)
}

/// Makes the children of forks find out whether the records are still usable. Must be called before a library is opened
/// whose constructors may register code to run in the children of forks: the host's code is registered first and so
/// runs first.
pub(crate) fn prepare_forks() {
    /// # Safety
    /// No preconditions: `unsafe` is part of the type that `pthread_atfork` takes.
    unsafe extern "C" fn in_child() {
        // One flag for all of them: a list that is locked cannot be searched.
        let is_held = ALL.is_locked() || ALL.lock().iter().any(|teardown| teardown.is_held());
        IS_LOST.fetch_or(is_held, Ordering::Relaxed);
    }
    static PREPARED: OnceCell<()> = OnceCell::new();
    PREPARED.get_or_init(|| fork::in_children(in_child));
}

#[cfg(test)]
mod tests;

//! What threads would still run of a library when it has ended: destructors of its thread-locals,
//! destructors of the values under its keys, and the threads it started.
//!
//! A library hands all of it to the host ([`service`]), and the system is given code of the host
//! only ([`exit`]). So whatever a thread does when it ends, it finds here what is left to run, and
//! nothing when that was run or cancelled before.
//!
//! While a library leaves, each thread runs its own part of the teardown where it is in no callback:
//! on leaving a dispatch ([`attend`]), in `Ticket::wait`, or when it ends. What
//! belongs to threads that do not come by is cancelled at the deadline: the memory is lost, and
//! nothing of it is run ever.

mod exit;
mod service;
mod state;
mod system;
mod thread;

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hookrail_dispatch::{Condvar, fork, frame, reclaim};
use once_cell::sync::OnceCell;
use parking_lot::Mutex;

pub(crate) use service::TABLE;

use crate::diagnostics;
pub(crate) use state::Left;
use state::{Next, State};

/// The teardowns of all libraries that were bound and are not gone.
static ALL: Mutex<Vec<Arc<ThreadTeardown>>> = Mutex::new(Vec::new());

/// This is the child of a fork, and a thread that it does not have held one of the records.
///
/// Nobody will ever let go of it, and half a change may stand in it. So all records are left alone:
/// nothing more is noted, and nothing of what is on them is run. That costs the child memory and
/// nothing else, since the system was given code of the host only.
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

    /// What the library knows it by.
    pub(crate) fn as_library(self: &Arc<Self>) -> *const c_void {
        Arc::as_ptr(self).cast()
    }

    /// By which of the system's functions nothing has come to us yet. When the library has used both,
    /// it is linked to the system's, and we know nothing of it.
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

    /// From now on each thread runs its part where it is in no callback. Nobody may call the
    /// library's callbacks any more.
    pub(crate) fn leave(&self) {
        self.state.lock().leaving = true;
        reclaim::ask_all(attend);
    }

    /// Waits, until nothing is left, but no longer than until `deadline`. Runs what belongs to this
    /// thread; at the deadline cancels what belongs to threads that did not come by, and adds it to
    /// `skipped`.
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
                // Nobody else has anything to run.
                Some(_) if state.is_empty() => {}
                // Also while threads run: one may wait for something that another thread's part
                // holds.
                _ => reclaim::ask_all(attend),
            }
            self.changed.wait(&mut state, Some(Instant::now() + pause));
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// The library is about to be closed: what it still leaves with threads is discarded, never run.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
    }

    /// The library is gone: gives its keys back.
    pub(crate) fn gone(self: Arc<Self>) {
        ALL.lock().retain(|teardown| !Arc::ptr_eq(teardown, &self));
        for key in self.state.lock().take_keys() {
            system::key_delete(key);
        }
    }

    /// The library stays for ever, and so does this: threads go on to find it when they end.
    pub(crate) fn stay(self: Arc<Self>) {
        self.state.lock().leaving = false;
        // The library's pointer to it stays valid.
        std::mem::forget(self);
    }

    /// Runs what belongs to this thread; returns whether there was anything.
    fn run_own(&self) -> bool {
        /// As POSIX has it: a destructor may leave another value under its key, but not for ever.
        const ROUNDS: usize = 4;
        let me = thread::id();
        let mut ran = self.run_destructors();
        for _ in 0..ROUNDS {
            // What a destructor leaves under its key is for the next round. Each value stays on record
            // until its destructor counts as running: nobody may close the library in between.
            let keys = self.state.lock().keys_of(me);
            if keys.is_empty() {
                return ran;
            }
            for key in keys.into_iter().rev() {
                ran |= self.run_one(|state| state.take_value(me, key));
            }
            // A key's destructor may bring a thread-local to life.
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

    /// Takes one thing off the record and runs it, if there is one.
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

/// Runs what belongs to this thread of all libraries that leave. The thread is in no callback.
///
/// Other code of a library may be beneath us all the same, and use what we would destroy: it logs, and
/// whoever takes the log dispatches. Such a thread comes by another time, or ends.
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
    /// Whether a thread is just using it.
    fn is_held(&self) -> bool {
        self.state.is_locked() || self.changed.is_held()
    }
}

/// Runs what belongs to this thread of all libraries, by `run`, until there is no more.
fn run_everywhere(run: impl Fn(&ThreadTeardown) -> bool) {
    loop {
        // All of them, whatever the first one had.
        if all().iter().filter(|teardown| run(teardown)).count() == 0 {
            return;
        }
    }
}

/// All records; none that could be waited for without end.
fn all() -> Vec<Arc<ThreadTeardown>> {
    if is_lost() { Vec::new() } else { ALL.lock().clone() }
}

fn is_lost() -> bool {
    // Relaxed: the child's first thread sets it before it does anything else.
    IS_LOST.load(Ordering::Relaxed)
}

/// Has the children of forks find out whether the records can still be used. To be called before a library is opened,
/// whose constructors may have the children of forks run code of theirs: ours runs first, as it came first.
pub(crate) fn prepare_forks() {
    /// # Safety
    /// No preconditions: `unsafe` is part of the type that `pthread_atfork` takes.
    unsafe extern "C" fn in_child() {
        // One flag for all of them: a list that is held cannot be looked through.
        let is_held = ALL.is_locked() || ALL.lock().iter().any(|teardown| teardown.is_held());
        IS_LOST.fetch_or(is_held, Ordering::Relaxed);
    }
    static PREPARED: OnceCell<()> = OnceCell::new();
    PREPARED.get_or_init(|| fork::in_children(in_child));
}

#[cfg(test)]
mod tests;

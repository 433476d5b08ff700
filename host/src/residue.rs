//! What threads would still run of a library when it has ended: destructors of its thread-locals,
//! destructors of the values under its keys, and the threads it started.
//!
//! A library hands all of it to the host ([`service`]), and the system is given code of the host
//! only ([`thread`]). So whatever a thread does when it ends, it finds here what is left to run, and
//! nothing when that was run or cancelled before.
//!
//! While a library leaves, each thread runs its own part of the residue where it is in no callback:
//! on leaving a dispatch ([`attend`]), in [`Ticket::wait`](crate::Ticket::wait), or when it ends. What
//! belongs to threads that do not come by is cancelled at the deadline: the memory is lost, and
//! nothing of it is run ever.

mod service;
mod state;
mod system;
mod thread;

use std::ffi::c_void;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

pub(crate) use service::TABLE;

use crate::reclaim;
use state::{Next, State};
use thread::ThreadId;

/// The residues of all libraries that were bound and are not gone.
static ALL: Mutex<Vec<Arc<Residue>>> = Mutex::new(Vec::new());

/// What threads would still run of one library.
#[derive(Debug, Default)]
pub(crate) struct Residue {
    state: Mutex<State>,
    changed: Condvar,
}

/// What is left of a residue, and keeps its library from being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Destructors that are running, on so many threads.
    Running(usize),
    /// Threads that the library started.
    Threads(usize),
}

impl Residue {
    /// A residue for a library that is about to be bound; it is known to all threads until [`gone`](Self::gone).
    pub(crate) fn new() -> Arc<Self> {
        let residue = Arc::new(Residue::default());
        ALL.lock().push(residue.clone());
        residue
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
                // Also while threads run: one may wait for something that another thread's part
                // holds.
                _ => reclaim::ask_all(attend),
            }
            self.changed.wait_for(&mut state, pause);
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// The library is about to be closed: what it still leaves with threads is discarded, never run.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
    }

    /// The library is gone: gives its keys back.
    pub(crate) fn gone(self: Arc<Self>) {
        ALL.lock().retain(|residue| !Arc::ptr_eq(residue, &self));
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

    /// Runs what belongs to this thread; answers whether there was anything.
    fn run_own(&self) -> bool {
        /// As POSIX has it: a destructor may leave another value under its key, but not for ever.
        const ROUNDS: usize = 4;
        let me = thread::id();
        let mut ran = self.run_all(|state| state.next_destructor(me));
        for _ in 0..ROUNDS {
            let mut keys = self.state.lock().take_values(me);
            if keys.is_empty() {
                break;
            }
            while let Some(key) = keys.pop() {
                ran |= self.run_all(|state| state.value_under(key));
            }
            // A key's destructor may bring a thread-local to life.
            ran |= self.run_all(|state| state.next_destructor(me));
        }
        ran
    }

    /// Runs the destructors of this thread's thread-locals, the latest first.
    fn run_destructors(&self) -> bool {
        let me = thread::id();
        self.run_all(|state| state.next_destructor(me))
    }

    fn run_all(&self, mut next: impl FnMut(&mut State) -> Option<Next>) -> bool {
        let mut ran = false;
        let mut state = self.state.lock();
        while let Some(Next { run, argument }) = next(&mut state) {
            ran = true;
            state.running += 1;
            drop(state);
            // SAFETY: the library handed the two over together for this thread to run once, and it
            // is not closed while `running` counts us.
            unsafe { run(argument) };
            state = self.state.lock();
            state.running -= 1;
            self.changed.notify_all();
        }
        ran
    }
}

/// Runs what belongs to this thread of all libraries that leave. The thread is in no callback.
pub(crate) fn attend() {
    let leaving: Vec<_> = ALL.lock().iter().filter(|residue| residue.state.lock().leaving).cloned().collect();
    for residue in leaving {
        residue.run_own();
    }
}

/// Runs what belongs to this thread of all libraries, by `run`, until there is no more.
fn run_everywhere(run: impl Fn(&Residue) -> bool) {
    loop {
        let all = ALL.lock().clone();
        // All of them, whatever the first one had.
        if all.iter().filter(|residue| run(residue)).count() == 0 {
            return;
        }
    }
}

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
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub(crate) use service::TABLE;

use crate::condvar::Condvar;
use crate::{diagnostics, fork, reclaim, said};
use state::{Next, State};
use thread::ThreadId;

/// The residues of all libraries that were bound and are not gone.
static ALL: Mutex<Vec<Arc<Residue>>> = Mutex::new(Vec::new());

/// This is the child of a fork, and a thread that it does not have held one of the records.
///
/// Nobody will ever let go of it, and half a change may stand in it. So all records are left alone:
/// nothing more is noted, and nothing of what is on them is run. That costs the child memory and
/// nothing else, since the system was given code of the host only.
static IS_LOST: AtomicBool = AtomicBool::new(false);

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
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        thread::prepare()?;
        fork::prepare();
        let residue = Arc::new(Residue::default());
        ALL.lock().push(residue.clone());
        Ok(residue)
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
pub(crate) fn attend() {
    if thread::is_running() || said::is_calling() {
        return;
    }
    diagnostics::attend();
    let is_meant = |residue: &&Arc<Residue>| residue.state.lock().leaving && !thread::is_started_by(residue);
    for residue in all().iter().filter(is_meant) {
        residue.run_own();
    }
}

impl Residue {
    /// Whether a thread is just using it.
    fn is_held(&self) -> bool {
        self.state.is_locked() || self.changed.is_held()
    }
}

/// Runs what belongs to this thread of all libraries, by `run`, until there is no more.
fn run_everywhere(run: impl Fn(&Residue) -> bool) {
    loop {
        // All of them, whatever the first one had.
        if all().iter().filter(|residue| run(residue)).count() == 0 {
            return;
        }
    }
}

/// All records; none that could be waited for without end.
fn all() -> Vec<Arc<Residue>> {
    if is_lost() { Vec::new() } else { ALL.lock().clone() }
}

fn is_lost() -> bool {
    // Relaxed: the child's first thread sets it before it does anything else.
    IS_LOST.load(Ordering::Relaxed)
}

/// Finds out, in the child of a fork, whether the records can still be used.
pub(crate) fn in_child() {
    // One flag for all of them: a list that is held cannot be looked through.
    let is_held = ALL.is_locked() || ALL.lock().iter().any(|residue| residue.is_held());
    IS_LOST.fetch_or(is_held, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::ptr::without_provenance;
    use std::sync::atomic::{AtomicPtr, AtomicUsize};

    use super::*;

    /// Makes a key and leaves a value of it with this thread, as a library does.
    fn leave_value(residue: &Arc<Residue>, run: unsafe extern "C" fn(*mut c_void)) -> u32 {
        let (library, mut key) = (residue.as_library(), 0);
        // SAFETY: the residue is there, and so is room for the key; nobody follows the value.
        let made = unsafe {
            [
                (TABLE.key_create)(library, &mut key, Some(run)),
                (TABLE.set_specific)(library, key, without_provenance(1)),
            ]
        };
        assert_eq!(made, [0, 0]);
        key
    }

    /// At the end of a thread the system goes through the keys by number, and takes the values of those
    /// without a destructor, which all are that it gives to libraries.
    #[test]
    fn a_value_is_found_at_the_end_of_a_thread_though_its_key_comes_before_the_hosts() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        unsafe extern "C" fn count(value: *mut c_void) {
            RUNS.fetch_add(value.addr(), Ordering::Relaxed);
        }
        // A number below that of the host's, which is free from here on.
        let mut low = 0;
        assert_eq!(system::key_create(&mut low, None), 0);
        let residue = Residue::new().unwrap();
        let others = leave_value(&residue, count);
        assert_eq!(system::key_delete(low), 0);
        std::thread::scope(|threads| {
            // Joined by hand: the scope waits for what the thread runs, not for its end.
            threads.spawn(|| assert_ne!(leave_value(&residue, count), others)).join().unwrap();
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
        assert!(residue.run_own());
        residue.gone();
    }

    /// Whoever waits must not find the record empty between two destructors.
    #[test]
    fn what_is_yet_to_run_is_on_record_while_another_runs() {
        static RESIDUE: AtomicPtr<Residue> = AtomicPtr::new(std::ptr::null_mut());
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        unsafe extern "C" fn look(_: *mut c_void) {
            // SAFETY: the test keeps it.
            let state = unsafe { &*RESIDUE.load(Ordering::Relaxed) }.state.lock();
            let is_last = RUNS.fetch_add(1, Ordering::Relaxed) == 2;
            assert_eq!((state.left(), state.is_empty()), (Some(Left::Running(1)), is_last));
        }
        let residue = Residue::new().unwrap();
        RESIDUE.store(residue.as_library().cast_mut().cast(), Ordering::Relaxed);
        for _ in 0..3 {
            leave_value(&residue, look);
        }
        assert!(residue.run_own());
        assert_eq!(RUNS.load(Ordering::Relaxed), 3);
        residue.gone();
    }

    /// The child has one thread; whoever held a lock when it was made never lets go of it there.
    #[test]
    fn the_child_of_a_fork_ends_though_another_thread_held_the_record() {
        let residue = Residue::new().unwrap();
        child_ends_while_another_thread_holds(&residue, || ALL.lock());
        child_ends_while_another_thread_holds(&residue, || residue.state.lock());
        child_ends_while_another_thread_holds(&residue, || residue.changed.hold());
        residue.gone();
    }

    fn child_ends_while_another_thread_holds<G>(residue: &Arc<Residue>, hold: impl FnOnce() -> G + Send) {
        unsafe extern "C" fn never(_: *mut c_void) {
            unreachable!("it is not on record");
        }
        let (held, wait) = std::sync::mpsc::channel();
        let (forked, go_on) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|threads| {
            threads.spawn(move || {
                let guard = hold();
                held.send(()).unwrap();
                let _ = go_on.recv();
                drop(guard);
            });
            wait.recv().unwrap();
            // SAFETY: the child does what a callback and an ending thread do, under a clock that ends it
            // if that waits.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: as above.
                unsafe {
                    libc::alarm(20);
                    leave_value(residue, never);
                    attend();
                    run_everywhere(Residue::run_own);
                    libc::_exit(0);
                }
            }
            drop(forked);
            let mut status = 0;
            // SAFETY: our own child, and room for its status.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0, "it waits for a thread that it does not have");
        });
    }

    #[test]
    fn a_destructor_that_always_leaves_another_value_is_run_four_times() {
        static KEY: AtomicUsize = AtomicUsize::new(0);
        static RESIDUE: AtomicPtr<Residue> = AtomicPtr::new(std::ptr::null_mut());
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        unsafe extern "C" fn again(value: *mut c_void) {
            assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4);
            let key = KEY.load(Ordering::Relaxed) as u32;
            // SAFETY: the test keeps the residue; nobody follows the value.
            unsafe { (TABLE.set_specific)(RESIDUE.load(Ordering::Relaxed).cast(), key, value) };
        }
        let residue = Residue::new().unwrap();
        RESIDUE.store(residue.as_library().cast_mut().cast(), Ordering::Relaxed);
        KEY.store(leave_value(&residue, again) as usize, Ordering::Relaxed);
        assert!(residue.run_own());
        assert_eq!(RUNS.load(Ordering::Relaxed), 4);
        let mut skipped = 0;
        assert_eq!(residue.settle(Instant::now(), &mut skipped), Ok(()));
        assert_eq!((RUNS.load(Ordering::Relaxed), skipped), (4, 0));
        residue.gone();
    }

    #[test]
    fn what_a_thread_took_back_or_left_too_late_is_not_skipped() {
        unsafe extern "C" fn never(_: *mut c_void) {
            unreachable!("there is no value");
        }
        let residue = Residue::new().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let key = leave_value(&residue, never);
                // SAFETY: as in `leave_value`.
                unsafe { (TABLE.set_specific)(residue.as_library(), key, std::ptr::null()) };
                assert!(residue.state.lock().is_empty());
            });
        });
        residue.close();
        let key = leave_value(&residue, never);
        assert!(residue.state.lock().is_empty());
        system::set_specific(key, std::ptr::null());
        residue.gone();
    }
}

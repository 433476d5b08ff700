//! Which threads are reading, and when unlinked data may be dropped.
//!
//! Readers pay plain stores; writers pay for the fence (`sync.rs`). The proof is in `slot.rs`. Nothing here knows what
//! is being retired.

mod grace;
mod residue;
mod running;
mod slot;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use parking_lot::Mutex;

pub use grace::Grace;
pub use residue::clear_stack;
pub use running::{running, spawn};
pub use slot::{EVERYTHING, Slot, Stay};
pub use threads::all;
pub(crate) use threads::{current, own, register};

use crate::sync::{Ordering, is_asymmetric, light_fence};

/// Whether this thread is inside a dispatch or a pin: then it must not wait for readers.
pub fn is_inside() -> bool {
    threads::own().is_some_and(Slot::is_inside)
}

/// Whether the kernel issues the readers' half of the barrier; otherwise each dispatch pays for a full fence of its own.
pub fn has_membarrier() -> bool {
    is_asymmetric()
}

/// Counts this thread among those that run code of plugins, from now on: what a call leaves on its stack must not be
/// taken for a call that still runs.
pub fn register_thread() {
    // A thread that has given its slot back ends soon.
    if !threads::is_late() {
        register();
    }
}

/// This thread's own number among the reading threads. A dispatching thread always has one.
#[inline(always)]
pub(crate) fn number() -> usize {
    threads::own().map_or(0, |slot| slot.number)
}

/// How many dispatches and pins this thread is in, nested.
pub(crate) fn nesting() -> usize {
    threads::own().map_or(0, Slot::nesting)
}

/// Identifies the dispatch that this thread is in: its sequence and its innermost entry.
pub(crate) fn innermost() -> Option<(u64, *mut ())> {
    threads::own().filter(|slot| slot.is_inside()).map(Slot::innermost)
}

/// The entry that this thread is in, if there is one and it is named.
pub(crate) fn innermost_entry() -> Option<*mut ()> {
    innermost().map(|(_, entry)| entry).filter(|entry| is_named(*entry))
}

/// Whether an entry is one of a snapshot.
pub(crate) fn is_named(entry: *mut ()) -> bool {
    !entry.is_null() && entry != slot::EVERYTHING
}

/// Begins a grace period for all readers that are inside now.
pub fn begin() -> Grace<'static> {
    Grace::begin(threads::all)
}

/// Runs `read` inside, the slow way: for a thread without a slot, for a nested dispatch, and where the kernel has no
/// asymmetric fence. `read` receives the place in which to name its entry.
#[cold]
#[inline(never)]
pub(crate) fn read_slowly<R>(read: impl FnOnce(Option<&crate::sync::AtomicPtr<()>>) -> R) -> R {
    let slot = register();
    let fence = || {
        if !is_asymmetric() {
            // SeqCst: the reader's half of the barrier, which the kernel does not issue for us.
            std::sync::atomic::fence(Ordering::SeqCst);
        }
    };
    match slot.enter() {
        Some(outermost) => {
            fence();
            let result = read(Some(outermost.frame()));
            leave(outermost);
            threads::leave_late();
            result
        }
        None => {
            let nested = slot.enter_nested();
            fence();
            let result = read(nested.frame());
            nested.leave();
            result
        }
    }
}

/// Runs `read` inside, as if it were in every entry: what is published while it runs stays until it returns.
pub(crate) fn pin<R>(read: impl FnOnce() -> R) -> R {
    let result = read_slowly(|frame| {
        if let Some(frame) = frame {
            // Relaxed, and before everything that is read: a writer that overwrites code in old blocks looks for this
            // after its heavy fence (`readers_in`).
            frame.store(slot::EVERYTHING, Ordering::Relaxed);
            light_fence();
        }
        // Leaving must not be skipped.
        catch_unwind(AssertUnwindSafe(read))
    });
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Leaves, and runs what this thread was asked to run.
#[inline(always)]
pub(crate) fn leave(outermost: slot::Outermost<'_>) {
    if outermost.leave() {
        attend();
    }
}

/// Runs what this thread was asked to run on leaving.
#[cold]
#[inline(never)]
fn attend() {
    if let Some(task) = threads::own().and_then(Slot::take_todo) {
        task();
    }
}

/// Asks every thread to run `task` when it next leaves a dispatch or a pin. A thread that is outside runs it after its
/// next one; a thread that never reads again never runs it.
pub fn ask_all(task: fn()) {
    threads::all().for_each(|slot| slot.ask(task));
}

/// Unlinked data, which is dropped when its readers have left.
pub struct Limbo<T> {
    retired: Mutex<Vec<(Grace<'static>, Vec<T>)>>,
}

impl<T> Limbo<T> {
    pub(crate) const fn new() -> Self {
        Limbo { retired: Mutex::new(Vec::new()) }
    }

    /// Takes what was just unlinked. Neither waits nor drops anything.
    pub(crate) fn retire(&self, unlinked: Vec<T>) {
        self.retired.lock().push((begin(), unlinked));
    }

    /// Drops what no thread reads any more.
    pub(crate) fn collect(&self) {
        let mut dead = Vec::new();
        self.retired.lock().retain_mut(|(grace, unlinked)| {
            let over = grace.is_over();
            if over {
                dead.append(unlinked);
            }
            !over
        });
        // Dropped here, without the lock: a drop may run foreign code.
        drop(dead);
    }

    /// Passes everything that is still held to `look`.
    pub(crate) fn each(&self, mut look: impl FnMut(&T)) {
        self.retired.lock().iter().flat_map(|(_, unlinked)| unlinked).for_each(&mut look);
    }
}

impl<T> Drop for Limbo<T> {
    fn drop(&mut self) {
        self.collect();
        // Threads that are still inside keep what they read, and nothing will drop it later.
        std::mem::take(self.retired.get_mut()).into_iter().for_each(std::mem::forget);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread::spawn;

    use super::*;

    /// Dispatches when it is dropped.
    struct Late;

    impl Drop for Late {
        fn drop(&mut self) {
            read_slowly(|_| ());
        }
    }

    /// How many slots there are after so many threads, one after the other.
    fn slots_after(threads: usize, thread: fn()) -> usize {
        (0..threads).for_each(|_| spawn(thread).join().unwrap());
        threads::all().count()
    }

    /// More than the slots of one block, which all threads of other tests share.
    const THREADS: usize = 300;

    #[test]
    fn a_thread_local_older_than_the_first_dispatch_leaves_no_slot_behind() {
        thread_local! {
            static LATE: Late = const { Late };
        }
        let dispatch = || {
            LATE.with(|_| ());
            read_slowly(|_| ());
        };
        assert!(slots_after(THREADS, dispatch) < THREADS);
    }

    #[test]
    fn a_thread_that_first_dispatches_in_a_thread_local_leaves_no_slot_behind() {
        thread_local! {
            static LATE: Late = const { Late };
        }
        assert!(slots_after(THREADS, || LATE.with(|_| ())) < THREADS);
    }

    #[test]
    fn the_destructor_of_a_key_leaves_no_slot_behind() {
        thread_local! {
            static ROUNDS: Cell<u32> = const { Cell::new(0) };
        }
        static OTHER: once_cell::sync::OnceCell<libc::pthread_key_t> = once_cell::sync::OnceCell::new();
        fn arm() {
            // SAFETY: the key was made below; the value is only looked at.
            unsafe { libc::pthread_setspecific(*OTHER.get().unwrap(), std::ptr::without_provenance(1)) };
        }
        /// # Safety
        /// It runs as the destructor of the key.
        unsafe extern "C" fn late(_: *mut std::ffi::c_void) {
            read_slowly(|_| ());
            register_thread();
            if ROUNDS.replace(ROUNDS.get() + 1) < 3 {
                arm();
            }
        }
        OTHER.get_or_init(|| {
            let mut key = 0;
            // SAFETY: there is room for a key.
            assert_eq!(unsafe { libc::pthread_key_create(&mut key, Some(late)) }, 0);
            key
        });
        let dispatch = || {
            arm();
            read_slowly(|_| ());
        };
        assert!(slots_after(THREADS, dispatch) < THREADS);
    }

    /// Under one pin a callback may be called again and again; those are separate calls.
    #[test]
    fn one_stay_in_an_entry_is_told_from_the_next() {
        let slot = Slot::new();
        let entry = std::ptr::without_provenance_mut(64);
        let pin = slot.enter().unwrap();
        pin.frame().store(EVERYTHING, Ordering::Relaxed);
        let stays = [0; 2].map(|_| {
            let nested = slot.enter_nested();
            nested.frame().unwrap().store(entry, Ordering::Relaxed);
            let stays = slot.stays();
            assert_eq!(stays, slot.stays());
            nested.leave();
            stays
        });
        assert_eq!(stays.each_ref().map(Vec::len), [2, 2]);
        assert_eq!(stays[0][0], stays[1][0], "the pin");
        assert_eq!(stays.each_ref().map(|stays| stays[1].entry), [entry; 2]);
        assert_ne!(stays[0][1], stays[1][1]);
        pin.leave();
        assert_eq!(slot.stays(), []);
    }
}

//! Who is reading, and when something that was unlinked may die.
//!
//! Readers pay plain stores; writers pay for the fence (`sync.rs`). The argument is in
//! `slot.rs`. What is being retired is not known here.

mod grace;
mod slot;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use parking_lot::Mutex;

pub use grace::Grace;
pub use slot::{EVERYTHING, Slot, Stay};
pub use threads::all;
pub(crate) use threads::{current, own, register};

use crate::sync::{Ordering, is_asymmetric, light_fence};

/// Whether this thread is inside a dispatch or a pin: then it must not wait for readers.
pub fn is_inside() -> bool {
    threads::own().is_some_and(Slot::is_inside)
}

/// This thread's own number among those that read. Whoever dispatches has one.
#[inline(always)]
pub(crate) fn number() -> usize {
    threads::own().map_or(0, |slot| slot.number)
}

/// How many dispatches and pins this thread is in, one within another.
pub(crate) fn nesting() -> usize {
    threads::own().map_or(0, Slot::nesting)
}

/// Identifies the dispatch this thread is in: its sequence and its innermost entry.
pub(crate) fn innermost() -> Option<(u64, *mut ())> {
    threads::own().filter(|slot| slot.is_inside()).map(Slot::innermost)
}

/// The entry that this thread is in, if it is in one and that is named.
pub(crate) fn innermost_entry() -> Option<*mut ()> {
    innermost().map(|(_, entry)| entry).filter(|entry| !entry.is_null() && *entry != slot::EVERYTHING)
}

/// Begins to wait for everybody who is inside now.
pub fn begin() -> Grace<'static> {
    Grace::begin(threads::all)
}

/// Runs `read` inside, the slow way: for a thread without a slot, for a nested dispatch, and where
/// the kernel has no asymmetric fence. `read` is told where to name the entry it is in.
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

/// Runs `read` inside, as if it were in every entry: what is published while it runs stays until it
/// returns.
pub(crate) fn pin<R>(read: impl FnOnce() -> R) -> R {
    let result = read_slowly(|frame| {
        if let Some(frame) = frame {
            // Relaxed, and before all that is read: whoever overwrites code in old blocks looks for this behind
            // its heavy fence (`readers_in`).
            frame.store(slot::EVERYTHING, Ordering::Relaxed);
            light_fence();
        }
        // Leaving must not be skipped.
        catch_unwind(AssertUnwindSafe(read))
    });
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Leaves, and does what is to be done.
#[inline(always)]
pub(crate) fn leave(outermost: slot::Outermost<'_>) {
    if outermost.leave() {
        attend();
    }
}

/// Runs what this thread was asked to run when it leaves.
#[cold]
#[inline(never)]
fn attend() {
    if let Some(task) = threads::own().and_then(Slot::take_todo) {
        task();
    }
}

/// Has every thread run `task` when it next leaves a dispatch or a pin. One that is outside does so
/// after its next one; one that never reads again, never.
pub fn ask_all(task: fn()) {
    threads::all().for_each(|slot| slot.ask(task));
}

/// What was unlinked, and dies when its readers have left.
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

    /// Drops whatever nobody reads any more.
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

    /// Looks at all that is still held.
    pub(crate) fn each(&self, mut look: impl FnMut(&T)) {
        self.retired.lock().iter().flat_map(|(_, unlinked)| unlinked).for_each(&mut look);
    }
}

impl<T> Drop for Limbo<T> {
    fn drop(&mut self) {
        self.collect();
        // Whoever is still inside keeps what it reads, and nobody will come by to drop it.
        std::mem::take(self.retired.get_mut()).into_iter().for_each(std::mem::forget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Under one pin a callback may be called again and again: that is not one call.
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

//! The last entry of a counted chain.
//!
//! A dispatch that reaches it was decided by no earlier callback; one that was is counted on the cold path. So counting
//! is one more jump on the way to the last callback, and the others are called exactly as in a chain that is not
//! counted.

use std::ffi::c_void;
use std::sync::Arc;

use super::callback::Callback;
use super::pair::Pair;
use crate::reclaim;
use crate::stats::Tally;

/// The context of the last pair of a counted chain.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) tally: Arc<Tally>,
    /// The last callback's own code and context; the no-op if the chain has no callbacks.
    pub(super) last: Pair,
}

impl Counted {
    pub(super) fn new(tally: Arc<Tally>, last: Option<&Callback>) -> Self {
        Counted { tally, last: last.map_or(Pair::no_op(), Callback::pair) }
    }

    /// The pair that dispatch calls.
    ///
    /// # Safety
    /// `self` does not move for as long as the pair is called.
    pub(super) unsafe fn pair(&self) -> Pair {
        Pair::new(count, std::ptr::from_ref(self).cast_mut().cast())
    }
}

/// The context of the callback that is called while a frame names that pair.
///
/// # Safety
/// The pair is in a snapshot that is alive.
pub(crate) unsafe fn context_of(named: &Pair) -> *mut c_void {
    let (run, ctx) = named.parts();
    if run as *mut () != count as *mut () {
        return ctx;
    }
    // SAFETY: no other function has this address, since none does the same: `Counted::pair` made the pair, and its
    // context lies in the same block, which is alive.
    unsafe { &*ctx.cast::<Counted>() }.last.parts().1
}

/// Counts a dispatch, and calls the last callback.
///
/// # Safety
/// `ctx` is a `Counted` whose pair this thread came by: it is inside, which keeps the block, and its frame names that
/// pair. `payload` is the point's, exclusive for the call unless the kind is notify.
unsafe extern "C" fn count(ctx: *mut c_void, payload: *mut c_void) -> u32 {
    // SAFETY: `Counted::pair` pairs this code with such a context, in a block that being inside keeps.
    let counted = unsafe { &*ctx.cast::<Counted>() };
    // Nothing is called in between, so that the arguments stay in their registers for the jump.
    if !reclaim::own().is_some_and(|slot| counted.tally.came_to_last_nearby(slot.number)) {
        // SAFETY: context and payload are those that we were called with, by way of the pair that the frame names.
        return unsafe { count_far(ctx, payload) };
    }
    // SAFETY: the payload is that of the point; this thread is inside, and its frame names the pair it came by.
    unsafe { counted.last.call_named(payload) }
}

/// As `count`, for a thread with a high number.
///
/// # Safety
/// `ctx` is a `Counted` whose pair this thread came by: it is inside, which keeps the block, and its frame names that
/// pair. `payload` is the point's, exclusive for the call unless the kind is notify.
#[cold]
#[inline(never)]
unsafe extern "C" fn count_far(ctx: *mut c_void, payload: *mut c_void) -> u32 {
    // SAFETY: `Counted::pair` pairs such a context with `count`, in a block that being inside keeps.
    let counted = unsafe { &*ctx.cast::<Counted>() };
    counted.tally.came_to_last(reclaim::number());
    // SAFETY: the payload is that of the point; this thread is inside, and its frame names the pair it came by.
    unsafe { counted.last.call_named(payload) }
}

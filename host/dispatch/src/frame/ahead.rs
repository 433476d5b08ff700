//! Looking ahead: what a callback may know of those that come after it.
//!
//! A callback that stands for code elsewhere may have that code run for its neighbours in one go, and keep their answers
//! until they are called: if all of them are its own, and nothing is done between them.

use std::ffi::c_void;

use super::FRAME;
use crate::chain::pair::Pair;
use crate::chain::{Run, following};
use crate::reclaim;

/// The call that a callback is in. No other call has the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    sequence: u64,
    pair: *const Pair,
}

/// The call that the callback is in which asks; `None` if dispatches are nested so deeply that it is not known.
#[inline]
pub fn here() -> Option<Here> {
    let (sequence, entry) = reclaim::innermost()?;
    reclaim::is_named(entry).then_some(Here { sequence, pair: entry.cast() })
}

impl Here {
    /// The calls that follow in this dispatch if the callbacks continue, with the contexts of those callbacks, up to the
    /// first with other code than `run`. None follow where something is done with each call by itself: where calls are
    /// timed, traced, or undone after faults.
    ///
    /// A context may be freed meanwhile, if its callback is retired: it is to be compared with those that are known to
    /// exist, and after that [`still_calls`](Here::still_calls) says whether it was one of those.
    ///
    /// # Safety
    /// The callback asks that is in this call.
    #[inline]
    pub unsafe fn following(self, run: Run) -> impl Iterator<Item = (Here, *mut c_void)> {
        let is_each_by_itself = FRAME.with(|frame| frame.is_each_by_itself.get());
        // SAFETY: the thread is in a callback of that pair, and being inside keeps its snapshot.
        let pairs = unsafe { following(self.pair) }.take_while(move |_| !is_each_by_itself);
        let calls = pairs.map(move |pair| (Here { sequence: self.sequence, pair }, pair.parts()));
        calls.map_while(move |(call, (code, ctx))| (code as usize == run as usize).then_some((call, ctx)))
    }

    /// Whether the call is still to run that code: its callback was not retired.
    ///
    /// # Safety
    /// The callback asks that got this from [`following`](Here::following).
    #[inline]
    pub unsafe fn still_calls(self, run: Run) -> bool {
        // SAFETY: the thread is in a callback of that snapshot, and being inside keeps it.
        unsafe { &*self.pair }.parts().0 as usize == run as usize
    }
}

/// Runs calls with each of which something is done beside calling.
#[inline(always)]
pub(crate) fn each_by_itself<R>(calls: impl FnOnce() -> R) -> R {
    let before = FRAME.with(|frame| frame.is_each_by_itself.replace(true));
    let result = calls();
    FRAME.with(|frame| frame.is_each_by_itself.set(before));
    result
}

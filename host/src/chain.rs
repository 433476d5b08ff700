//! The callbacks of one point: their order, their publication, and running them.

mod callback;
mod outcome;
mod pair;
mod snapshot;

use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

use hookrail_abi::host::Saying;
use hookrail_abi::verdict::raw;
use hookrail_abi::{RawKind, Verdict};

pub use callback::CallbackId;
pub(crate) use callback::{Callback, Ctx, Origin, Owner};
pub use outcome::Outcome;
pub(crate) use pair::Run;
pub(crate) use snapshot::Snapshot;

use crate::fault;
use crate::reclaim;
use crate::said;
use crate::sync::{AtomicPtr, Ordering};

/// The chain of one point.
///
/// # Invariants
/// `head` is null, for a point without callbacks, or came from [`Snapshot::into_raw`]; what it
/// pointed to before is dropped only after a grace period.
#[derive(Debug)]
pub(crate) struct Chain {
    head: AtomicPtr<u8>,
    pub(crate) point: &'static str,
    pub(crate) kind: RawKind,
    /// Gates always, notify points never, folds where the point says so.
    pub(crate) deniable: bool,
}

impl Chain {
    pub(crate) const fn new(point: &'static str, kind: RawKind, deniable: bool) -> Self {
        Chain { head: AtomicPtr::new(null_mut()), point, kind, deniable }
    }

    /// Runs the chain over `payload`; `nobody` is the answer when no callback decides.
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call unless the kind is notify.
    #[inline(always)]
    pub(crate) unsafe fn dispatch(&self, payload: *mut c_void, nobody: Verdict) -> Outcome {
        // Relaxed: only compared with null. A registration that races with this comes after it.
        if !self.is_hooked() {
            return Outcome::nobody(nobody);
        }
        let Some(outermost) = reclaim::current().and_then(reclaim::Slot::enter) else {
            // SAFETY: the caller's contract.
            return unsafe { self.dispatch_slowly(payload, nobody) };
        };
        // SAFETY: the caller's contract, and we are inside.
        let outcome = unsafe { self.run(outermost.frame(), payload, nobody) };
        reclaim::leave(outermost);
        outcome
    }

    /// Whether any callback would run.
    #[inline(always)]
    pub(crate) fn is_hooked(&self) -> bool {
        !self.head.load(Ordering::Relaxed).is_null()
    }

    #[cold]
    #[inline(never)]
    unsafe fn dispatch_slowly(&self, payload: *mut c_void, nobody: Verdict) -> Outcome {
        reclaim::read_slowly(|frame| {
            // Beyond the last frame the slot says "everything", and the name goes nowhere.
            let nowhere = AtomicPtr::new(null_mut());
            // SAFETY: the caller's contract, and we are inside.
            unsafe { self.run(frame.unwrap_or(&nowhere), payload, nobody) }
        })
    }

    /// # Safety
    /// As for `dispatch`, and the caller is inside.
    #[inline(always)]
    unsafe fn run(&self, frame: &AtomicPtr<()>, payload: *mut c_void, nobody: Verdict) -> Outcome {
        // Acquire: pairs with the Release in `publish`.
        let Some(block) = NonNull::new(self.head.load(Ordering::Acquire)) else {
            return Outcome::nobody(nobody);
        };
        // SAFETY: by the type invariant it is a snapshot, kept while we are inside; the value is
        // borrowed from the chain, so it is not dropped here.
        let snapshot = std::mem::ManuallyDrop::new(unsafe { Snapshot::from_raw(block) });
        // SAFETY: the caller's contract.
        unsafe { self.run_snapshot(&snapshot, frame, payload, nobody) }
    }

    /// # Safety
    /// As for `run`, with a snapshot of this chain that was published when the caller entered, or
    /// later.
    #[inline(always)]
    pub(crate) unsafe fn run_snapshot(
        &self,
        snapshot: &Snapshot,
        frame: &AtomicPtr<()>,
        payload: *mut c_void,
        nobody: Verdict,
    ) -> Outcome {
        for pair in snapshot.pairs() {
            // SAFETY: the caller's contract: the snapshot holds callbacks of this point, so the
            // payload is what they expect, and being inside keeps them.
            let answer = unsafe { pair.call(frame, payload) };
            if answer != raw::CONTINUE
                && let Some(outcome) = self.settle(snapshot, pair, answer)
            {
                return outcome;
            }
        }
        Outcome::nobody(nobody)
    }

    /// What an answer other than "continue" means; `None` to go on.
    #[cold]
    #[inline(never)]
    fn settle(&self, snapshot: &Snapshot, pair: &pair::Pair, answer: u32) -> Option<Outcome> {
        let offset = pair.identity().addr() - snapshot.pairs().as_ptr().addr();
        let callback = &snapshot.callbacks()[offset / size_of::<pair::Pair>()];
        let verdict = match (self.kind, answer & 0xff) {
            (RawKind::Gate, raw::STOP) => Verdict::Allow,
            (_, raw::STOP) => Verdict::Stop,
            (_, raw::DENY) if self.deniable => {
                said::keep_reason(said::take(Saying::Denied).unwrap_or_default());
                Verdict::Deny(answer >> 8)
            }
            _ => fault::answered(self, callback, answer)?,
        };
        Some(Outcome::decided(verdict, callback.id))
    }

    /// Replaces the chain; the one before is for the caller to retire.
    pub(crate) fn publish(&self, callbacks: &[Arc<Callback>]) -> Option<Snapshot> {
        let next = if callbacks.is_empty() { null_mut() } else { Snapshot::new(callbacks).into_raw() };
        // Release: pairs with the Acquire in `run`. Acquire: what we retire was written by another
        // writer. INVARIANT: the old snapshot goes to the caller, who lets a grace period pass.
        let before = self.head.swap(next, Ordering::AcqRel);
        // SAFETY: by the type invariant it came from `into_raw`, and nobody else can take it now.
        NonNull::new(before).map(|block| unsafe { Snapshot::from_raw(block) })
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // Nobody can be inside: whoever dispatches holds a reference to the chain.
        drop(self.publish(&[]));
    }
}

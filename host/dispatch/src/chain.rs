//! The callbacks of one point: their order, their publication, and running them.

pub(crate) mod callback;
// Miri runs no assembly.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod copied;
pub(crate) mod facts;
pub(crate) mod id;
mod long;
#[cfg_attr(any(miri, not(target_arch = "x86_64")), path = "chain/nearest_here.rs")]
mod nearest;
pub(crate) mod outcome;
pub(crate) mod pair;
mod settle;
mod snapshot;
mod watched;

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use hookrail_abi::verdict::raw;
use hookrail_abi::{Decision, RawKind};

pub use callback::{Callback, CallbackState, Ctx, HalfOpen, Terms};
use facts::Facts;
pub use id::{CallbackId, Owner};
use nearest::Nearest;
pub use outcome::Outcome;
use outcome::Packed;
pub(crate) use pair::{Pair, Run};
use settle::settle;
use snapshot::Header;
pub(crate) use snapshot::{Entry, Published, Snapshot, following};
pub(crate) use watched::Watch;

use crate::fault;
use crate::frame;
use crate::reclaim;
use crate::sync::{AtomicBool, AtomicPtr, Ordering};

/// How deeply dispatches may nest on one thread. Beyond that the stack would overflow, which ends the process.
const DEEPEST: usize = 64;

/// The chain of one point.
///
/// # Invariants
/// `head` is that of a snapshot which [`Snapshot::publish`] gave up, or of the empty one; what it pointed to before is
/// dropped only after a grace period. A chain does not move after its first `set_callbacks`.
#[derive(Debug)]
pub struct Chain {
    head: AtomicPtr<Pair>,
    /// Whether any callback would run.
    has_callbacks: AtomicBool,
    /// What runs it while it is long.
    nearest: Nearest,
    pub facts: Facts,
}

impl Chain {
    pub(crate) const fn new(point: &'static str, kind: RawKind, deniable: bool) -> Self {
        let head = AtomicPtr::new(Published::empty().as_raw());
        Chain {
            head,
            has_callbacks: AtomicBool::new(false),
            nearest: Nearest::new(),
            facts: Facts { point, kind, deniable },
        }
    }

    /// Runs the chain over `payload`; `default` is the decision if no callback decides.
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call unless the kind is notify.
    #[inline(always)]
    pub(crate) unsafe fn dispatch(&self, payload: *mut c_void, default: Decision) -> Outcome {
        if !self.is_hooked() {
            return Outcome::default(default);
        }
        let Some(outermost) = reclaim::current().and_then(reclaim::Slot::enter) else {
            // SAFETY: the payload is the point's, exclusive for the call unless the kind is notify.
            return unsafe { self.dispatch_slowly(payload) }.map_or(Outcome::default(default), unpack);
        };
        // SAFETY: the snapshot is loaded after we entered, which keeps it; the payload is the point's, exclusive unless
        // the kind is notify.
        match unsafe { self.run(self.load(), outermost.frame(), payload, || outermost.number()) } {
            None => {
                reclaim::leave(outermost);
                Outcome::default(default)
            }
            // Leaving is in both arms, so that the common one keeps nothing live across it.
            Some(decided) => {
                reclaim::leave(outermost);
                unpack(decided)
            }
        }
    }

    /// Whether readers enter: because there are callbacks, because the point is counted, or because a plugin is being
    /// unloaded and readers should reach a quiescent point.
    #[inline(always)]
    pub(crate) fn is_hooked(&self) -> bool {
        // Relaxed: the value is only compared. A registration that races with this comes after it.
        self.head.load(Ordering::Relaxed) != Published::empty().as_raw()
    }

    /// Whether any callback would run.
    #[inline]
    pub(crate) fn has_callbacks(&self) -> bool {
        // Relaxed: a registration that races with this comes after it.
        self.has_callbacks.load(Ordering::Relaxed)
    }

    /// Whether readers enter although there are no callbacks.
    pub(crate) fn is_draining(&self) -> bool {
        self.head.load(Ordering::Relaxed) == Published::draining().as_raw()
    }

    /// The published snapshot, which stays alive while the caller is inside.
    #[inline(always)]
    pub(crate) fn load(&self) -> Published {
        // Acquire: pairs with the Release in `publish`.
        // SAFETY: by the type invariant `head` is that of a published snapshot.
        unsafe { Published::from_raw(self.head.load(Ordering::Acquire)) }
    }

    /// As `dispatch`, on a thread that has no slot yet or is inside already; `None` when no callback decides.
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call unless the kind is notify.
    #[cold]
    #[inline(never)]
    unsafe fn dispatch_slowly(&self, payload: *mut c_void) -> Option<Packed> {
        // SAFETY: `nest` runs this inside, which keeps the snapshot that is loaded here; the payload is the point's,
        // exclusive unless the kind is notify.
        self.nest(|frame| unsafe { self.run_in(frame, self.load(), payload) })
    }

    /// Runs the chain as a nested dispatch, unless the nesting is too deep.
    fn nest(&self, run: impl FnOnce(Option<&AtomicPtr<()>>) -> Option<Packed>) -> Option<Packed> {
        if reclaim::nesting() >= DEEPEST {
            return fault::too_deep(&self.facts, DEEPEST).then(Packed::denied_by_nobody);
        }
        reclaim::read_slowly(run)
    }

    /// The code and the context of each callback, in order.
    pub(crate) fn parts(&self) -> Vec<(Run, *mut c_void)> {
        if !self.is_hooked() {
            return Vec::new();
        }
        // SAFETY: `read_slowly` runs this inside, which keeps the snapshot that is loaded here.
        reclaim::read_slowly(|_| unsafe { self.load().entries().map(|entry| entry.pair.parts()).collect() })
    }

    /// Runs a snapshot of this chain that a pin keeps alive.
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call unless the kind is notify. The snapshot is one
    /// of this chain, or the empty one, and was loaded under a pin that this thread is still in.
    pub(crate) unsafe fn dispatch_pinned(
        &self,
        snapshot: Published,
        payload: *mut c_void,
        default: Decision,
    ) -> Outcome {
        // SAFETY: this thread is in the pin under which the snapshot was loaded; the payload is the point's, exclusive
        // unless the kind is notify.
        let decided = self.nest(|frame| unsafe { self.run_in(frame, snapshot, payload) });
        decided.map_or(Outcome::default(default), unpack)
    }

    /// As `run`. Beyond the last frame the slot says "everything", and the name goes nowhere.
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call unless the kind is notify. The snapshot is one
    /// of this chain, or the empty one; this thread is inside, and has been since before it was loaded.
    unsafe fn run_in(
        &self,
        frame: Option<&AtomicPtr<()>>,
        snapshot: Published,
        payload: *mut c_void,
    ) -> Option<Packed> {
        let nowhere = AtomicPtr::new(null_mut());
        // SAFETY: this thread has been inside since before the snapshot of this chain was loaded; the payload is the
        // point's, exclusive unless the kind is notify.
        unsafe { self.run(snapshot, frame.unwrap_or(&nowhere), payload, reclaim::number) }
    }

    /// Calls one callback after the other until one decides; `None` if none does. `number` is this thread's.
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call unless the kind is notify. The snapshot is one
    /// of this chain, or the empty one; this thread is inside, and has been since before it was loaded. `frame` is
    /// where the thread names the entry it is in, unless its slot says "everything".
    #[inline(always)]
    pub(crate) unsafe fn run(
        &self,
        snapshot: Published,
        frame: &AtomicPtr<()>,
        payload: *mut c_void,
        number: impl FnOnce() -> usize,
    ) -> Option<Packed> {
        // SAFETY: being inside keeps the snapshot alive. There is at least one pair, and all are callbacks of this
        // point: the payload is what they expect.
        unsafe {
            let (header, first) = (snapshot.header(), snapshot.first());
            if header.is_plain_short {
                return self.run_short(header, first, frame, payload);
            }
            if header.is_plain_long {
                return self.run_long(header, first, frame, payload);
            }
            let decided = if header.is_short {
                self.run_short(header, first, frame, payload)
            } else {
                self.run_long(header, first, frame, payload)
            };
            if decided.is_none()
                && let Some(tally) = &header.tally
            {
                tally.passed(number());
            }
            decided
        }
    }

    /// Calls the callbacks of a long chain, in the loop that is made for those.
    ///
    /// # Safety
    /// As for `run`; the snapshot is a long one with that header and that first pair.
    #[inline(always)]
    unsafe fn run_long(
        &self,
        header: &Header,
        first: *const Pair,
        frame: &AtomicPtr<()>,
        payload: *mut c_void,
    ) -> Option<Packed> {
        // SAFETY: the pairs of the snapshot, which being inside keeps; the payload is what their callbacks expect.
        let stopped = unsafe { (header.long)(first, header.end, frame, payload) };
        if stopped.pair.is_null() {
            return None;
        }
        // SAFETY: it was just called, on the payload that we were given.
        unsafe { self.go_on(header, stopped.pair, stopped.answer(), frame, payload) }
    }

    /// Calls the callbacks of a short chain, in the code of whoever dispatches.
    ///
    /// # Safety
    /// As for `run`; the snapshot is a short one with that header and that first pair.
    #[inline(always)]
    unsafe fn run_short(
        &self,
        header: &Header,
        first: *const Pair,
        frame: &AtomicPtr<()>,
        payload: *mut c_void,
    ) -> Option<Packed> {
        // As many call sites as a short chain has callbacks, and no loop: a processor predicts each by itself.
        const { assert!(long::SHORT == 3) };
        macro_rules! call {
            ($place:literal) => {
                // SAFETY: it is a pair of the snapshot, which being inside keeps, as it does code and context; the
                // payload is what they expect.
                let answer = unsafe { (*first.add($place)).call(frame, payload) };
                if answer != raw::CONTINUE {
                    // SAFETY: it was just called, on the payload that we were given.
                    return unsafe { self.go_on(header, first.add($place), answer, frame, payload) };
                }
            };
        }
        call!(0);
        // SAFETY: a pair, or the end of the pairs, comes next.
        if unsafe { first.add(1) } == header.end {
            return None;
        }
        call!(1);
        // SAFETY: a pair, or the end of the pairs, comes next.
        if unsafe { first.add(2) } == header.end {
            return None;
        }
        call!(2);
        None
    }

    /// After an answer other than "continue": the decision, or that of the callbacks that follow.
    ///
    /// # Safety
    /// This thread is inside, and has just called the pair, which answered this, in a snapshot of this chain with that
    /// header; `frame` and `payload` are as for `run`.
    #[cold]
    #[inline(never)]
    unsafe fn go_on(
        &self,
        header: &Header,
        mut pair: *const Pair,
        mut answer: u32,
        frame: &AtomicPtr<()>,
        payload: *mut c_void,
    ) -> Option<Packed> {
        loop {
            if answer != raw::CONTINUE {
                let tally = header.tally.as_deref();
                // SAFETY: the pair was just called on this thread, which is inside, in a snapshot of this chain.
                let decided = unsafe { settle(&self.facts, tally, pair, header.end, answer) };
                if decided.is_some() {
                    return decided;
                }
            }
            // SAFETY: it lies before the end.
            pair = unsafe { pair.add(1) };
            if pair == header.end {
                return None;
            }
            // SAFETY: it is a pair of the snapshot, which being inside keeps, as it does code and context; the payload
            // is what they expect.
            answer = unsafe { (*pair).call(frame, payload) };
        }
    }

    /// Publishes these callbacks, watched in this way; the caller retires the returned snapshot. A chain without
    /// callbacks is entered by readers all the same if `draining` is true.
    pub(crate) fn set_callbacks(&self, callbacks: &[Arc<Callback>], watch: Watch, draining: bool) -> Snapshot {
        // Relaxed: as in `has_callbacks`.
        self.has_callbacks.store(!callbacks.is_empty(), Ordering::Relaxed);
        self.publish(if watched::is_needed(&self.facts, callbacks, &watch) {
            // SAFETY: this chain alone publishes it, so it runs in dispatches on this chain, which keep the facts.
            unsafe { watched::snapshot(&self.facts, callbacks, watch) }
        } else if callbacks.is_empty() && draining && watch.tally.is_none() {
            Snapshot::draining()
        } else {
            Snapshot::new(callbacks, watch.tally, Some(&self.nearest))
        })
    }

    /// Replaces the chain; the caller retires the returned snapshot.
    pub(crate) fn publish(&self, next: Snapshot) -> Snapshot {
        let next = next.publish();
        // Release: pairs with the Acquire in `load`. Acquire: the snapshot to retire was written by another writer.
        // INVARIANT: the old snapshot goes to the caller, who waits for a grace period.
        let before = self.head.swap(next.as_raw(), Ordering::AcqRel);
        // SAFETY: by the type invariant `publish` gave it up, or it is the empty one; nobody else can take it now.
        unsafe { Snapshot::retire(Published::from_raw(before)) }
    }
}

/// By the thread that decided, before it dispatches again.
#[cold]
#[inline(never)]
fn unpack(decided: Packed) -> Outcome {
    decided.unpack(frame::last_denial)
}

impl Drop for Chain {
    fn drop(&mut self) {
        // No thread can be inside: a dispatching thread holds a reference to the chain.
        drop(self.publish(Snapshot::new(&[], None, None)));
    }
}

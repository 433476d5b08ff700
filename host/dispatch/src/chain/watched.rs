//! A chain whose callbacks are more than called: timed, traced, rolled back, or answered for.
//!
//! It is published as a block with a single pair, whose code is a runner and whose context holds the real chain. So a
//! chain that is not watched is the calls and nothing else, without a flag to check. The runner names the real pairs in
//! the thread's slot, as dispatch itself does, and passes its decision through the thread's call frame rather than in
//! the number that the boundary carries.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use hookrail_abi::verdict::raw;
use hookrail_abi::{FaultPolicy, PayloadOps, RawKind};
use hookrail_model::stats::StatsLevel;
use hookrail_model::trace::{StepVerdict, TraceDecision};

use super::callback::{Callback, CallbackState, HalfOpen};
use super::facts::Facts;
use super::outcome::Packed;
use super::pair::Pair;
use super::settle::settle;
use super::snapshot::{Published, Runner, Snapshot, callback_of};
use crate::fault;
use crate::frame;
use crate::reclaim;
use crate::stats::{Record, Taking, Tally, Tracers, monotonic};
use crate::sync::AtomicPtr;

/// How a point is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) level: StatsLevel,
    pub(crate) tracers: Tracers,
    pub(crate) ops: &'static PayloadOps,
    /// What counts its dispatches, if they are counted.
    pub(crate) tally: Option<Arc<Tally>>,
}

/// The context of a watched block.
///
/// # Invariants
/// `facts` are those of the chain that publishes it, so they outlive every dispatch. There is a step for each callback
/// of `real`, in order.
#[derive(Debug)]
struct Watched {
    facts: *const Facts,
    real: Snapshot,
    steps: Box<[Step]>,
    /// Whether every call is timed, even without a tracer.
    is_timed: bool,
    level: StatsLevel,
    tracers: Tracers,
    ops: &'static PayloadOps,
}

// SAFETY: the facts are immutable, and by the type invariant outlive their use; the other fields are `Send`.
unsafe impl Send for Watched {}
// SAFETY: the facts are immutable; the other fields are `Sync`.
unsafe impl Sync for Watched {}

impl Runner for Watched {
    fn real(&self) -> Published {
        self.real.published()
    }
}

/// What is done with one callback besides calling it.
#[derive(Debug)]
struct Step {
    record: Arc<Record>,
    act: Act,
    /// The time that it may take, in nanoseconds; `u64::MAX` for no limit.
    budget: u64,
    /// Whether the payload is restored after a fault.
    rolls_back: bool,
}

#[derive(Debug)]
enum Act {
    /// It is not called; the host answers for it.
    Answer,
    Call,
    /// One dispatch makes a trial call.
    Try(Arc<HalfOpen>),
}

/// Whether anything has to be done besides calling.
pub(super) fn is_needed(facts: &Facts, callbacks: &[Arc<Callback>], watch: &Watch) -> bool {
    let is_special = |callback: &Arc<Callback>| {
        budget(callback, watch.level) != u64::MAX || rolls_back(facts, callback) || !callback.is_armed()
    };
    watch.level == StatsLevel::Histogram || !watch.tracers.0.is_empty() || callbacks.iter().any(is_special)
}

/// In nanoseconds; `u64::MAX` for any.
fn budget(callback: &Callback, level: StatsLevel) -> u64 {
    callback.terms.budget.filter(|_| level > StatsLevel::Off).unwrap_or(u64::MAX)
}

/// A callback that may only read leaves nothing to restore.
fn rolls_back(facts: &Facts, callback: &Callback) -> bool {
    callback.terms.fault == FaultPolicy::Rollback && facts.kind != RawKind::Notify
}

/// The block of a chain with those callbacks, watched in that way.
///
/// # Safety
/// The chain whose facts these are publishes it, and no other does: its code reads them in dispatches on that chain.
pub(super) unsafe fn snapshot(facts: &Facts, callbacks: &[Arc<Callback>], how: Watch) -> Snapshot {
    Snapshot::run_by(watch, Box::new(Watched::new(facts, callbacks, how)))
}

impl Watched {
    fn new(facts: &Facts, callbacks: &[Arc<Callback>], watch: Watch) -> Self {
        let step = |callback: &Arc<Callback>| Step {
            record: callback.record.clone(),
            act: match &*callback.state.lock() {
                CallbackState::Armed => Act::Call,
                CallbackState::Absent | CallbackState::Quarantined(_) => Act::Answer,
                CallbackState::HalfOpen(trial) => Act::Try(trial.clone()),
            },
            budget: budget(callback, watch.level),
            rolls_back: rolls_back(facts, callback),
        };
        let steps: Box<[Step]> = callbacks.iter().map(step).collect();
        let is_timed = watch.level == StatsLevel::Histogram || steps.iter().any(|step| step.budget != u64::MAX);
        let Watch { level, tracers, ops, tally } = watch;
        // INVARIANT: by the contract of `snapshot`; there is a step per callback.
        Watched { facts, real: Snapshot::new(callbacks, tally, None), steps, is_timed, level, tracers, ops }
    }

    /// The pairs of the callbacks; empty for a chain without callbacks.
    fn pairs(&self) -> &[Pair] {
        // SAFETY: we own the real chain, so it is alive.
        let pairs = unsafe { self.real.published().pairs() };
        &pairs[..self.steps.len()]
    }
}

/// Does all that may be done.
///
/// # Safety
/// `ctx` is the `Watched` of a block that being inside keeps, and whose pair this thread came by. `payload` is the
/// point's, exclusive for the call unless the kind is notify.
unsafe extern "C" fn watch(ctx: *mut c_void, payload: *mut c_void) -> u32 {
    // SAFETY: `snapshot` pairs this code with such a context, which being inside keeps.
    let watched = unsafe { &*ctx.cast::<Watched>() };
    // SAFETY: the payload is the point's, as its operations are, and outlives the trace, which ends below.
    let mut taking = unsafe { watched.tracers.begin(watched.ops, payload) };
    // SAFETY: we are inside a dispatch of this chain; the payload is the point's, exclusive unless the kind is notify.
    let decided = frame::each_by_itself(|| unsafe { watched.run(payload, taking.as_mut()) });
    if let Some(taking) = taking {
        let verdict = decided.map_or(raw::CONTINUE, Packed::verdict);
        let decision = match verdict & 0xff {
            raw::ALLOW => TraceDecision::Allowed,
            raw::DENY => TraceDecision::Denied,
            raw::SKIP => TraceDecision::Skipped,
            _ => TraceDecision::Undecided,
        };
        taking.end(decision, code_of(verdict));
    }
    decided.map_or(raw::CONTINUE, hand_on)
}

impl Watched {
    /// # Safety
    /// This thread is inside a dispatch of the chain that published this. `payload` is the point's, exclusive for the
    /// call unless the kind is notify; `taking` was begun with it.
    unsafe fn run(&self, payload: *mut c_void, mut taking: Option<&mut Taking<'_>>) -> Option<Packed> {
        let nowhere = AtomicPtr::new(null_mut());
        let (number, frame) = here(&nowhere);
        // One clock read between neighbours: a read takes longer than everything else here.
        let mut then = (self.is_timed || taking.is_some()).then(monotonic);
        for (pair, step) in self.pairs().iter().zip(&self.steps) {
            match &step.act {
                Act::Call => {}
                Act::Try(trial) if trial.begin() => {
                    // The tally leaves out a callback on trial, which only one dispatch calls.
                    step.record.called(u64::from(self.tally().is_some()));
                }
                Act::Answer | Act::Try(_) => match self.answer_for(pair, number, taking.as_deref_mut()) {
                    None => continue,
                    decided => return decided,
                },
            }
            let mut copy = None;
            if step.rolls_back {
                // SAFETY: the operations are the point's, as is the payload.
                copy = Some(unsafe { Copied::of(self.ops, payload) });
                then = later(then);
            }
            // SAFETY: we are inside, which keeps code and contexts; the payload is the point's, exclusive unless the
            // kind is notify.
            let answer = unsafe { pair.call(frame, payload) };
            let mut took = 0;
            if let Some(began) = then {
                let ended = monotonic();
                took = ended - began;
                self.took(pair, step, number, took);
                then = Some(ended);
            }
            if answer == raw::CONTINUE && taking.is_none() {
                self.try_is_over(pair, step);
                continue;
            }
            if !self.is_fault(answer) {
                self.try_is_over(pair, step);
            } else if let Some(copy) = copy {
                // SAFETY: payload and operations are the point's; no callback has the payload now, and only that of a
                // fold or a gate, which is exclusive, is put back.
                unsafe { copy.put_back(payload) };
            }
            if let Some(taking) = &mut taking {
                taking.step(self.callback(pair).full_name(), self.traced(answer), frame::heard(), took);
            }
            if answer != raw::CONTINUE {
                // SAFETY: the pair was just called on this thread, which is inside; it is one of our real chain, whose
                // pairs end at `end`.
                let decided = unsafe { settle(self.facts(), self.tally(), pair, self.end(), answer) };
                if decided.is_some() {
                    return decided;
                }
            }
            then = later(then);
        }
        if let Some(tally) = self.tally() {
            tally.passed(number);
        }
        None
    }

    /// Records how long a call took.
    #[inline(always)]
    fn took(&self, pair: &Pair, step: &Step, number: usize, took: u64) {
        if self.level == StatsLevel::Histogram {
            step.record.counts.own(number).time(took);
        }
        if took > step.budget {
            fault::slow(self.facts(), self.callback(pair), took, step.budget);
        }
    }

    /// Reports that the trial call of a callback succeeded.
    fn try_is_over(&self, pair: &Pair, step: &Step) {
        if let Act::Try(_) = step.act {
            fault::recovered(self.facts(), self.callback(pair));
        }
    }

    /// The host's answer in place of a callback that is not called: it denies if the callback's fault would deny.
    #[cold]
    fn answer_for(&self, pair: &Pair, number: usize, taking: Option<&mut Taking<'_>>) -> Option<Packed> {
        // SAFETY: we own the real chain, and the pair is that of one of its callbacks.
        let (callback, place) = unsafe { callback_of(pair, self.end()) };
        callback.record.miss();
        let verdict = fault::verdict(self.facts(), callback);
        if taking.is_none() && verdict.is_none() {
            return None;
        }
        let name = callback.full_name();
        let why = {
            let state = callback.state.lock();
            let what = if let CallbackState::Absent = *state { "absent" } else { "quarantined" };
            format!("{what}: {}", state.reason().unwrap_or_default())
        };
        if let Some(taking) = taking {
            let verdict = verdict.map_or((StepVerdict::NotCalled, None), |verdict| self.traced(verdict));
            taking.step(name.clone(), verdict, Some(why.clone()), 0);
        }
        let verdict = verdict?;
        if let Some(tally) = self.tally() {
            tally.decided(number, place);
        }
        frame::keep_reason(Some(format!("{name} is {why}")));
        Some(Packed::new(verdict, callback.id))
    }

    fn is_fault(&self, answer: u32) -> bool {
        fault::is(self.facts(), answer)
    }

    /// An answer in the form of a trace.
    fn traced(&self, answer: u32) -> (StepVerdict, Option<u32>) {
        let verdict = match answer & 0xff {
            _ if self.is_fault(answer) => return (StepVerdict::Fault, None),
            raw::ALLOW => StepVerdict::Allow,
            raw::DENY => StepVerdict::Deny,
            raw::SKIP => StepVerdict::Skip,
            _ => StepVerdict::Continue,
        };
        (verdict, code_of(answer))
    }

    fn facts(&self) -> &Facts {
        // SAFETY: by the type invariant the facts are those of the chain that published us, and whoever runs us
        // dispatches on that chain.
        unsafe { &*self.facts }
    }

    fn callback(&self, pair: &Pair) -> &Callback {
        // SAFETY: we own the real chain, and the pair is that of one of its callbacks.
        unsafe { callback_of(pair, self.end()) }.0
    }

    /// The end of the real pairs.
    fn end(&self) -> *const Pair {
        // SAFETY: we own the real chain, so it is alive.
        unsafe { self.real.published().end() }
    }

    fn tally(&self) -> Option<&Tally> {
        // SAFETY: we own the real chain, so it is alive.
        unsafe { self.real.published().header() }.tally.as_deref()
    }
}

/// The thread's number, and where it names its entry: `nowhere` beyond the last frame.
#[inline(always)]
fn here(nowhere: &AtomicPtr<()>) -> (usize, &AtomicPtr<()>) {
    // A dispatching thread always has a slot.
    reclaim::own().map_or((0, nowhere), |slot| (slot.number, slot.frame().unwrap_or(nowhere)))
}

/// When the next callback begins, excluding what is not a callback's time.
#[cold]
#[inline(never)]
fn later(then: Option<u64>) -> Option<u64> {
    then.map(|_| monotonic())
}

/// Leaves a decision where `settle` finds it, and returns a number that makes the dispatch call `settle`.
fn hand_on(decided: Packed) -> u32 {
    frame::decide(decided);
    raw::SKIP
}

/// The code of a denial.
fn code_of(verdict: u32) -> Option<u32> {
    (verdict & 0xff == raw::DENY).then_some(verdict >> 8)
}

/// A copy of a payload.
///
/// # Invariants
/// `copy` is a payload of these operations, in memory that was allocated with their [`layout`].
struct Copied {
    ops: &'static PayloadOps,
    copy: *mut c_void,
}

impl Copied {
    /// # Safety
    /// `payload` is a payload of these operations.
    unsafe fn of(ops: &'static PayloadOps, payload: *const c_void) -> Self {
        let layout = layout(ops);
        // SAFETY: the layout has a byte at least.
        let copy: *mut c_void = unsafe { alloc(layout) }.cast();
        if copy.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the payload is one of these operations, and the fresh memory is room for another.
        // INVARIANT: it is a payload from here on.
        unsafe { (ops.clone)(payload, copy) };
        Copied { ops, copy }
    }

    /// Restores the payload.
    ///
    /// # Safety
    /// `payload` is one of these operations, and exclusively the caller's.
    unsafe fn put_back(&self, payload: *mut c_void) {
        // SAFETY: by the type invariant the copy is a payload of these operations; so is the payload, which is
        // exclusively the caller's.
        unsafe { (self.ops.assign)(self.copy, payload) }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // SAFETY: by the type invariant the copy is a payload, in memory of this layout; neither is used again.
        unsafe {
            (self.ops.drop)(self.copy);
            dealloc(self.copy.cast(), layout(self.ops));
        }
    }
}

/// The layout of a payload; one byte for a payload without a size.
fn layout(ops: &PayloadOps) -> Layout {
    Layout::from_size_align(ops.payload_size.max(1), ops.align).expect("a type has this layout")
}

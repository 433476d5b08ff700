//! One registered callback: what dispatch needs, and what is shown of it.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use hookrail_abi::{Effects, FaultPolicy};
use parking_lot::Mutex;

use hookrail_model::installed::Origin;
use hookrail_model::order::Place;

use super::id::{CallbackId, Owner};
use super::pair::{Pair, Run, skip};
use crate::fault::breaker::Breaker;
use crate::fault::signal::{CallbackRef, Found};
use crate::probation::Probation;
use crate::stats::Record;

/// What a callback is granted in its chain: what it declares, or what the operator says instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Lower ones are called first.
    pub priority: i32,
    /// What its fault means for the chain.
    pub fault: FaultPolicy,
    /// Whether it is part of the published chain.
    pub enabled: bool,
    /// The time that a call may take, in nanoseconds, if there is a limit.
    pub budget: Option<u64>,
}

/// The context of a callback.
#[derive(Debug)]
pub struct Ctx {
    ptr: *mut c_void,
    /// The function that frees it; null once that has been called.
    drop: AtomicPtr<()>,
}

// SAFETY: the registration promises that callback and drop may run on any thread.
unsafe impl Send for Ctx {}
// SAFETY: the context is only handed to the callback, which by the registration may run on several threads at once.
unsafe impl Sync for Ctx {}

impl Ctx {
    /// Owns what `ptr` points to, if there is a `drop` function to free it with.
    pub fn new(ptr: *mut c_void, drop: Option<unsafe extern "C" fn(*mut c_void)>) -> Self {
        let drop = drop.map_or(std::ptr::null_mut(), |drop| drop as *mut ());
        Ctx { ptr, drop: AtomicPtr::new(drop) }
    }

    /// Frees the context, once. Unloading calls this when it has waited for the readers, even though a retired snapshot
    /// may still hold the callback's record.
    pub fn release(&self) {
        // AcqRel: only one caller gets the function, and sees what others did before.
        let drop = self.drop.swap(std::ptr::null_mut(), Ordering::AcqRel);
        if !drop.is_null() {
            // SAFETY: `new` stored a function of this type.
            let drop = unsafe { std::mem::transmute::<*mut (), unsafe extern "C" fn(*mut c_void)>(drop) };
            // SAFETY: the registration handed the two over together, and by the protocol of
            // reclaim nobody can call the callback any more.
            unsafe { drop(self.ptr) }
        }
    }
}

impl Drop for Ctx {
    fn drop(&mut self) {
        self.release();
    }
}

/// One registered callback.
#[derive(Debug)]
pub struct Callback {
    /// The same for every callback of this name, for the lifetime of the host.
    pub id: CallbackId,
    /// Who registered it, and may remove it.
    pub owner: Owner,
    /// The generation of its plugin, if it belongs to one.
    pub generation: Option<u64>,
    /// The name of the instance that owns it.
    pub instance: Arc<str>,
    /// Its name, unique among those of its instance at this point.
    pub name: Arc<str>,
    /// Its place in the chain, and what else the operator may change while it is registered.
    pub terms: Terms,
    /// The terms that it declares.
    pub declared: Terms,
    /// Who says something else than it declares, if anybody does.
    pub overridden_by: Option<Origin>,
    /// What it touches.
    pub effects: Effects,
    /// The code that is called.
    pub run: Run,
    /// The context that it is called with, which all registrations of it under other terms share.
    pub ctx: Arc<Ctx>,
    /// Whether the host denies in its place while its plugin is not running, if its fault denies.
    pub required: bool,
    /// Its counts at this point; a new build of the plugin continues those of the old one.
    pub record: Arc<Record>,
    /// Whether it is called. Changed only under the writers' lock.
    pub state: Mutex<CallbackState>,
    /// Counts its faults, and reports when there are too many.
    pub breaker: Arc<Breaker>,
    /// The probation that its faults count against, if it came with an upgrade.
    pub probation: Option<Arc<Probation>>,
}

/// Whether a callback of a chain is called.
#[derive(Clone, Debug)]
pub enum CallbackState {
    /// Its plugin is required and not running; the host stands in for it.
    Absent,
    /// It is called on each dispatch that reaches it.
    Armed,
    /// It failed too often, for this reason. If its fault denies, the host denies in its place.
    Quarantined(Arc<str>),
    /// As quarantined, except for one trial call.
    HalfOpen(Arc<HalfOpen>),
}

/// A trial: one call that finds out whether a quarantined callback works again.
#[derive(Debug)]
pub struct HalfOpen {
    pub(crate) reason: Arc<str>,
    begun: AtomicBool,
}

impl HalfOpen {
    /// For a callback that was quarantined for this reason.
    pub fn new(reason: Arc<str>) -> Self {
        HalfOpen { reason, begun: AtomicBool::new(false) }
    }

    /// Whether the caller is the thread that makes the trial call.
    pub(crate) fn begin(&self) -> bool {
        // Relaxed: only one thread gets it, and it passes on no data.
        !self.begun.swap(true, Ordering::Relaxed)
    }
}

impl CallbackState {
    /// Why it is not called, if it is not.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            CallbackState::Absent => Some("its plugin is required and does not run"),
            CallbackState::Armed => None,
            CallbackState::Quarantined(reason) => Some(reason),
            CallbackState::HalfOpen(trial) => Some(&trial.reason),
        }
    }
}

impl Callback {
    /// Its place in the order of the chain.
    pub(crate) fn place(&self) -> Place<&str> {
        Place { priority: self.terms.priority, instance: &self.instance, name: &self.name }
    }

    /// The pair that a snapshot holds for it.
    pub fn pair(&self) -> Pair {
        Pair::new(self.run, self.ctx.ptr)
    }

    /// Whether it is called on each dispatch that reaches it.
    pub(crate) fn is_armed(&self) -> bool {
        matches!(*self.state.lock(), CallbackState::Armed)
    }

    /// The callback that stands in its place while its plugin is not running.
    pub(crate) fn stand_in(&self) -> Self {
        Callback {
            id: self.id,
            owner: Owner::DEFAULT_VERDICT,
            generation: self.generation,
            instance: self.instance.clone(),
            name: self.name.clone(),
            terms: Terms { budget: None, ..self.terms },
            declared: Terms { budget: None, ..self.declared },
            overridden_by: self.overridden_by,
            effects: self.effects,
            run: skip,
            ctx: Arc::new(Ctx::new(std::ptr::null_mut(), None)),
            required: true,
            record: self.record.clone(),
            state: Mutex::new(CallbackState::Absent),
            breaker: Arc::new(self.breaker.another()),
            probation: None,
        }
    }

    /// The same callback under other terms: it keeps its context, its state and its counts.
    pub(crate) fn under(&self, terms: Terms, overridden_by: Option<Origin>) -> Self {
        Callback {
            id: self.id,
            owner: self.owner,
            generation: self.generation,
            instance: self.instance.clone(),
            name: self.name.clone(),
            terms,
            declared: self.declared,
            overridden_by,
            effects: self.effects,
            run: self.run,
            ctx: self.ctx.clone(),
            required: self.required,
            record: self.record.clone(),
            state: Mutex::new(self.state.lock().clone()),
            breaker: self.breaker.clone(),
            probation: self.probation.clone(),
        }
    }

    /// Resets its faults, so that they count again, and returns the state in which it is called again.
    #[must_use]
    pub fn arm(&self) -> CallbackState {
        self.breaker.reset();
        CallbackState::Armed
    }

    /// Identifies it at a point, outside a dispatch.
    pub fn placed(&self, point: &'static str) -> CallbackRef {
        let Callback { id, owner, generation, .. } = *self;
        CallbackRef { point, id, owner, generation, name: self.full_name() }
    }

    /// Whether it is the callback that `placed` refers to.
    pub fn is(&self, placed: &CallbackRef) -> bool {
        (self.id, self.owner) == (placed.id, placed.owner)
    }

    /// Reports a signal about it, at a point.
    pub(crate) fn tell(&self, point: &'static str, what: Found) {
        self.breaker.tell(self.placed(point), what);
    }

    /// `instance/callback`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.instance, self.name)
    }
}

//! One registered callback: what dispatch needs, and what people ask about.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use hookrail_abi::{Effects, FaultPolicy};
use parking_lot::Mutex;

use hookrail_model::order::Place;

use super::id::{CallbackId, Owner};
use super::pair::{Pair, Run, skip};
use crate::fault::breaker::Breaker;
use crate::fault::finding::{CallbackRef, Found};
use crate::probation::Probation;
use crate::stats::Record;

/// Where a callback's priority comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The host registered it.
    BuiltIn,
    /// The plugin declared it.
    Declared,
    /// The operator's configuration says so; the number the plugin declared.
    Overridden(i32),
}

/// The context that goes with a callback's code.
#[derive(Debug)]
pub struct Ctx {
    ptr: *mut c_void,
    /// What frees it; null once that was called.
    drop: AtomicPtr<()>,
}

// SAFETY: the registration promises that callback and drop may run on any thread.
unsafe impl Send for Ctx {}
// SAFETY: the context is only handed to the callback, which by the registration may run on several threads at once.
unsafe impl Sync for Ctx {}

impl Ctx {
    /// Owns what `ptr` points to, if there is a `drop` to free it with.
    pub fn new(ptr: *mut c_void, drop: Option<unsafe extern "C" fn(*mut c_void)>) -> Self {
        let drop = drop.map_or(std::ptr::null_mut(), |drop| drop as *mut ());
        Ctx { ptr, drop: AtomicPtr::new(drop) }
    }

    /// Frees the context, once: an unloading does so when it has waited out the readers, even
    /// though a retired snapshot may still hold the callback's record.
    pub fn release(&self) {
        // AcqRel: one caller gets the function, and what others did before happened before.
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
    /// The same for every callback of this name, for the life of the host.
    pub id: CallbackId,
    /// Who registered it, and takes it away again.
    pub owner: Owner,
    /// Its plugin's, if it is a plugin's.
    pub generation: Option<u64>,
    /// The name of what owns it.
    pub instance: Arc<str>,
    /// Its own name, unique among those of its instance on this point.
    pub name: Arc<str>,
    /// Where it stands: lower ones are called first.
    pub priority: i32,
    /// Who chose that priority.
    pub origin: Origin,
    /// What it may do to a message.
    pub effects: Effects,
    /// What happens to the message when it fails.
    pub fault: FaultPolicy,
    /// What is called.
    pub run: Run,
    /// What it is called with.
    pub ctx: Ctx,
    /// Whether it is part of the published chain; the operator may leave it out.
    pub enabled: bool,
    /// Whether the host denies in its place while its plugin does not run, if its fault denies.
    pub required: bool,
    /// The time a call of it may take, in nanoseconds, if that is limited.
    pub budget: Option<u64>,
    /// What it has done on this point; a new build goes on with that of the old one.
    pub record: Arc<Record>,
    /// Whether it is called. Changed under the writers' lock alone.
    pub state: Mutex<CallbackState>,
    /// Counts its faults, and says when they are too many.
    pub breaker: Breaker,
    /// What its faults may bring about, when it came with an upgrade.
    pub probation: Option<Arc<Probation>>,
}

/// Whether a callback of a chain is called.
#[derive(Clone, Debug)]
pub enum CallbackState {
    /// Its plugin is required and does not run; it is the host that stands here.
    Absent,
    /// It is called each time that its turn comes.
    Armed,
    /// It failed too often; the reason. Where its fault denies, the host denies in its place.
    Quarantined(Arc<str>),
    /// As quarantined, but for one call.
    HalfOpen(Arc<HalfOpen>),
}

/// One call, to find out whether a quarantined callback works again.
#[derive(Debug)]
pub struct HalfOpen {
    pub(crate) reason: Arc<str>,
    begun: AtomicBool,
}

impl HalfOpen {
    /// Of a callback that was quarantined for this reason.
    pub fn new(reason: Arc<str>) -> Self {
        HalfOpen { reason, begun: AtomicBool::new(false) }
    }

    /// Whether the caller is the one that calls it.
    pub(crate) fn begin(&self) -> bool {
        // Relaxed: only one gets it, and nothing goes with it.
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
    /// Where it stands.
    pub(crate) fn place(&self) -> Place<&str> {
        Place { priority: self.priority, instance: &self.instance, callback: &self.name }
    }

    /// What a snapshot holds of it.
    pub fn pair(&self) -> Pair {
        Pair::new(self.run, self.ctx.ptr)
    }

    /// Whether it is called each time that its turn comes.
    pub(crate) fn is_armed(&self) -> bool {
        matches!(*self.state.lock(), CallbackState::Armed)
    }

    /// What stands in its place while its plugin does not run.
    pub(crate) fn stand_in(&self) -> Self {
        Callback {
            id: self.id,
            owner: Owner::DEFAULT_VERDICT,
            generation: self.generation,
            instance: self.instance.clone(),
            name: self.name.clone(),
            priority: self.priority,
            origin: self.origin,
            effects: self.effects,
            fault: self.fault,
            run: skip,
            ctx: Ctx::new(std::ptr::null_mut(), None),
            enabled: self.enabled,
            required: true,
            budget: None,
            record: self.record.clone(),
            state: Mutex::new(CallbackState::Absent),
            breaker: self.breaker.another(),
            probation: None,
        }
    }

    /// Resets its faults; returns the state with which it is called again: from now on its faults count anew.
    #[must_use]
    pub fn arm(&self) -> CallbackState {
        self.breaker.reset();
        CallbackState::Armed
    }

    /// What it is known by on a point, to others than dispatches.
    pub fn placed(&self, point: &'static str) -> CallbackRef {
        let Callback { id, owner, generation, .. } = *self;
        CallbackRef { point, id, owner, generation, name: self.full_name() }
    }

    /// Whether it is the one of those on that point.
    pub fn is(&self, placed: &CallbackRef) -> bool {
        (self.id, self.owner) == (placed.id, placed.owner)
    }

    /// Something was found out about it, on a point.
    pub(crate) fn tell(&self, point: &'static str, what: Found) {
        self.breaker.tell(self.placed(point), what);
    }

    /// `instance/callback`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.instance, self.name)
    }
}

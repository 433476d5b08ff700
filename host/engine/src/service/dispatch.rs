//! The service `dispatch/1`.

use std::ffi::c_void;
use std::ptr::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, Context, DISPATCH_CLOSED, DISPATCH_FAILED, DISPATCH_OK, DISPATCH_TOO_DEEP, DispatchOutcome, DispatchPoint,
    DispatchService, DispatchSpec, Growing,
};
use hookrail_model::guarded;

use super::{Caller, Handle, Keepsake, Revocable};
use crate::points::{DispatchContext, Dispatched, FoundPoint, NotDispatched, PointWish};

pub(super) static SERVICE: DispatchService =
    DispatchService { size: size_of::<DispatchService>() as u32, point, is_hooked, run, close };

/// What a plugin has a point by, until it closes it or its library is gone.
struct Open {
    point: Arc<dyn FoundPoint>,
    /// Set when the instance is being stopped.
    is_closed: AtomicBool,
}

/// What the plugin has the address of.
struct Found(Arc<Open>);

impl Keepsake for Found {}

/// A point that nothing is dispatched on any more when the instance is stopped.
struct Registered(Arc<Open>);

// SAFETY: the host calls nothing of the plugin for it.
unsafe impl Revocable for Registered {
    fn revoke(self: Box<Self>) {
        // Relaxed: a dispatch that does not see it yet was begun before.
        self.0.is_closed.store(true, Ordering::Relaxed);
    }
}

/// # Safety
/// As `dispatch/1` says.
unsafe extern "C" fn point(
    handle: *const boundary::Handle,
    spec: *const DispatchSpec,
    point: *mut *const DispatchPoint,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there; the others are exclusive.
    let (handle, point, why) = unsafe { (&*handle.cast::<Handle>(), &mut *point, &mut *why) };
    let found = guarded(Err("the host has failed".to_owned()), || {
        // SAFETY: it holds for the call.
        find(handle, &unsafe { PointWish::copied(spec) }?)
    });
    match found {
        Ok(found) => {
            *point = found;
            0
        }
        Err(refused) => {
            why.push_str(&refused);
            1
        }
    }
}

fn find(handle: &Handle, wish: &PointWish) -> Result<*const DispatchPoint, String> {
    let caller = Caller(handle);
    caller.may_keep()?;
    let points = handle.points.lock().clone();
    let open = Arc::new(Open { point: points.find(wish)?, is_closed: false.into() });
    let id = caller.register(|| Registered(open.clone())).ok_or("the instance is being stopped")?;
    let at = Arc::as_ptr(&open).cast();
    caller.keep(id, Box::new(Found(open)));
    Ok(at)
}

/// # Safety
/// `point` was found and not closed.
unsafe extern "C" fn is_hooked(point: *const DispatchPoint) -> u32 {
    // SAFETY: it is kept until it is closed.
    let open = unsafe { &*point.cast::<Open>() };
    guarded(1, || u32::from(open.point.is_hooked()))
}

/// # Safety
/// As `dispatch/1` says.
unsafe extern "C" fn run(
    point: *const DispatchPoint,
    payload: *mut c_void,
    context: *const Context,
    outcome: *mut DispatchOutcome,
) -> u32 {
    // SAFETY: it is kept until it is closed; the outcome is the plugin's, for the call.
    let (open, outcome) = unsafe { (&*point.cast::<Open>(), &mut *outcome) };
    // Relaxed: as where it is set.
    if open.is_closed.load(Ordering::Relaxed) {
        return DISPATCH_CLOSED;
    }
    // SAFETY: by the contract.
    let context = unsafe { Context::find(context) };
    let context = context.map(|Context { deadline_ns, trace, .. }| DispatchContext { deadline_ns, trace });
    // SAFETY: by the contract the payload is one of the point, exclusive for the call.
    let dispatch = || unsafe { open.point.dispatch(payload, context.as_ref()) };
    match guarded(Err(NotDispatched::NotCarried("the host has failed".into())), dispatch) {
        Ok(Dispatched { decision, decided_by, reason }) => {
            outcome.decision = decision.to_raw();
            decided_by.iter().for_each(|by| outcome.decided_by.push_str(by));
            reason.iter().for_each(|reason| outcome.reason.push_str(reason));
            DISPATCH_OK
        }
        Err(NotDispatched::Closed) => DISPATCH_CLOSED,
        Err(NotDispatched::TooDeep) => DISPATCH_TOO_DEEP,
        Err(NotDispatched::NotCarried(why)) => {
            outcome.reason.push_str(&why);
            DISPATCH_FAILED
        }
    }
}

/// # Safety
/// As `dispatch/1` says.
unsafe extern "C" fn close(handle: *const boundary::Handle, point: *const DispatchPoint) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there.
    let handle = unsafe { &*handle.cast::<Handle>() };
    guarded(1, || {
        let is_it = |kept: &Found| from_ref(&*kept.0).cast() == point;
        u32::from(!Caller(handle).release_if(is_it))
    })
}

//! The points of the host that the driver plays: it has every one, and no callbacks on it, until the instance is being stopped.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::ptr::from_ref;
use std::sync::Mutex;

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, Context, DISPATCH_CLOSED, DISPATCH_OK, DispatchOutcome, DispatchPoint, DispatchService, DispatchSpec, Growing,
};
use hookrail_abi::verdict::raw;

use super::bus::Bus;
use super::handle::{Handle, called};
use super::offences::{checked, lock, offence};

pub(super) static SERVICE: DispatchService =
    DispatchService { size: size_of::<DispatchService>() as u32, point, is_hooked, run, close };

/// The addresses of what plugins were given: buses, of which each knows whether its instance is being stopped.
static GIVEN: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// # Safety
/// As `dispatch/1` says.
unsafe extern "C" fn point(
    handle: *const boundary::Handle,
    spec: *const DispatchSpec,
    point: *mut *const DispatchPoint,
    why: *mut Text,
) -> u32 {
    let is_live = called(handle, "dispatch/1");
    // SAFETY: by the contract.
    match unsafe { DispatchSpec::read(spec) } {
        Ok(spec) if is_live => {
            // SAFETY: by the contract: the text is readable, and the point is the plugin's variable; a live handle is ours.
            unsafe {
                checked(spec.point, "the name of a point");
                let bus = &(*handle.cast::<Handle>()).bus;
                lock(&GIVEN).insert(from_ref(bus).addr());
                *point = from_ref(bus).cast();
            }
            0
        }
        Ok(_) => 1,
        Err(too_small) => {
            offence(format!("it asked for a point with a specification of {too_small}"));
            // SAFETY: by the contract.
            unsafe { (*why).push_str("a specification that is too small") };
            1
        }
    }
}

/// The instance that was given the point, by its bus.
fn given(point: *const DispatchPoint) -> Option<&'static Bus> {
    let is_given = lock(&GIVEN).contains(&point.addr());
    if !is_given {
        offence("it dispatched a point that it was not given");
    }
    // SAFETY: it was given by `point`, and handles are never freed.
    is_given.then(|| unsafe { &*point.cast() })
}

unsafe extern "C" fn is_hooked(point: *const DispatchPoint) -> u32 {
    given(point);
    0
}

/// # Safety
/// As `dispatch/1` says.
unsafe extern "C" fn run(
    point: *const DispatchPoint,
    payload: *mut c_void,
    _: *const Context,
    outcome: *mut DispatchOutcome,
) -> u32 {
    if given(point).is_none_or(|instance| instance.wait(0)) {
        return DISPATCH_CLOSED;
    }
    if payload.is_null() {
        offence("it dispatched a payload at null");
    }
    // SAFETY: by the contract.
    unsafe { (*outcome).decision = raw::CONTINUE };
    DISPATCH_OK
}

unsafe extern "C" fn close(_: *const boundary::Handle, point: *const DispatchPoint) -> u32 {
    u32::from(given(point).is_none())
}

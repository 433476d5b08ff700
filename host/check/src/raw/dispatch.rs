//! The points of the host that the driver plays: it has every one, and no callbacks on it.

use std::ffi::c_void;
use std::ptr::from_ref;

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, Context, DISPATCH_OK, DispatchOutcome, DispatchPoint, DispatchService, DispatchSpec, Growing,
};
use hookrail_abi::verdict::raw;

use super::handle::called;
use super::offences::{checked, offence};

pub(super) static SERVICE: DispatchService =
    DispatchService { size: size_of::<DispatchService>() as u32, point, is_hooked, run, close };

/// Whatever a plugin finds. A plugin that uses another one has made it up.
static FOUND: u8 = 0;

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
            // SAFETY: by the contract: the text is readable, and the point is the plugin's variable.
            unsafe {
                checked(spec.point, "the name of a point");
                *point = from_ref(&FOUND).cast();
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

fn is_found(point: *const DispatchPoint) -> bool {
    let is_found = point.cast() == from_ref(&FOUND);
    if !is_found {
        offence("it dispatched a point that it was not given");
    }
    is_found
}

unsafe extern "C" fn is_hooked(point: *const DispatchPoint) -> u32 {
    is_found(point);
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
    is_found(point);
    if payload.is_null() {
        offence("it dispatched a payload at null");
    }
    // SAFETY: by the contract.
    unsafe { (*outcome).decision = raw::CONTINUE };
    DISPATCH_OK
}

unsafe extern "C" fn close(_: *const boundary::Handle, point: *const DispatchPoint) -> u32 {
    u32::from(!is_found(point))
}

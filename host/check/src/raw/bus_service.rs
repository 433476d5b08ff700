//! The service `bus/1` of the host that the driver plays.

use std::ptr::{copy_nonoverlapping, from_ref};

use hookrail_abi::Text;
use hookrail_abi::boundary::{self, BusService, BusSpec, Growing, StreamIo};

use super::bus::Bus;
use super::handle::{Handle, called};
use super::offences::{checked, offence};

pub(super) static SERVICE: BusService = BusService { size: size_of::<BusService>() as u32, publish, subscribe, close };

/// Opens an end for the instance of that handle.
///
/// # Safety
/// Nobody else uses `io`, `id` and `why` meanwhile; `io` has the size that it states.
unsafe fn open(handle: *const boundary::Handle, io: *mut StreamIo, id: *mut u64, why: *mut Text) -> u32 {
    // SAFETY: a live handle is ours and never freed.
    let opened = called(handle, "bus/1").then(|| unsafe { &(*handle.cast::<Handle>()).bus }).and_then(Bus::open);
    let Some((table, opened)) = opened else {
        // SAFETY: by the contract.
        unsafe { (*why).push_str("the instance is being stopped") };
        return 1;
    };
    // SAFETY: by the contract as many bytes are writable there; they are two.
    unsafe {
        let size = (io.cast::<u32>().read() as usize).min(size_of::<StreamIo>());
        copy_nonoverlapping(from_ref(&table).cast::<u8>(), io.cast(), size);
        *id = opened;
    }
    0
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn publish(handle: *const boundary::Handle, io: *mut StreamIo, id: *mut u64, why: *mut Text) -> u32 {
    // SAFETY: by the contract.
    unsafe { open(handle, io, id, why) }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn subscribe(
    handle: *const boundary::Handle,
    spec: *const BusSpec,
    io: *mut StreamIo,
    id: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: by the contract.
    match unsafe { BusSpec::read(spec) } {
        // SAFETY: by the contract, its texts hold for the call.
        Ok(spec) => unsafe {
            checked(spec.name, "the name of a subscription");
            open(handle, io, id, why)
        },
        Err(too_small) => {
            offence(format!("it subscribed with a specification of {too_small}"));
            1
        }
    }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn close(handle: *const boundary::Handle, id: u64) -> u32 {
    // SAFETY: a handle is ours and never freed, and a plugin may close what it has open behind its own end.
    let bus = unsafe { &(*handle.cast::<Handle>()).bus };
    u32::from(!bus.free(id))
}

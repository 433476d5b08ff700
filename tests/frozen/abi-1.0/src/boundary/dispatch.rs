//! Dispatching points of the host, for any plugin.

use std::ffi::c_void;

use super::{Context, Handle, Str};
use crate::{PayloadOps, Text};

/// A point that an instance dispatches. Only the host looks into it.
#[derive(Debug)]
pub struct DispatchPoint {
    _private: [u8; 0],
}

/// A point, as the plugin was built with it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DispatchSpec {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The revision of the point.
    pub revision: u32,
    /// The name of the point, which the plugin's note lists under `fires`.
    pub point: Str,
    /// The payload's fingerprint, low word first.
    pub fingerprint: [u64; 2],
    /// abi_stable's layout of the payload (`&'static TypeLayout`), used to explain a mismatch; may be null.
    pub layout: *const c_void,
    /// The payload's operations, by which it crosses to another process; may be null for the payloads of this header.
    pub ops: *const PayloadOps,
}

/// What a dispatch came to. The texts are the caller's: empty before the call, to be freed after it.
#[repr(C)]
#[derive(Debug)]
pub struct DispatchOutcome {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The decision: [`CONTINUE`](crate::verdict::raw::CONTINUE) if no callback decided and the payload passes,
    /// [`SKIP`](crate::verdict::raw::SKIP), [`ALLOW`](crate::verdict::raw::ALLOW), or
    /// [`DENY`](crate::verdict::raw::DENY) with a code in bits 8 to 31.
    pub decision: u32,
    /// The callback that decided, `INSTANCE/CALLBACK`; empty if none did.
    pub decided_by: Text,
    /// Why it was denied, or why it was not dispatched; may be empty. It may contain anything.
    pub reason: Text,
}

/// Service `dispatch/1`: the points that the plugin's note lists under `fires`, to be dispatched by the plugin.
///
/// Any thread, several at once, from within callbacks too; not from a signal handler.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DispatchService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Finds a point of the host and writes it to `point`. It may be used until `close`, and for as long as the library is
    /// loaded. Returns 0 on success, else 1, and has appended the reason to `why`, in one line.
    pub point: unsafe extern "C" fn(
        handle: *const Handle,
        spec: *const DispatchSpec,
        point: *mut *const DispatchPoint,
        why: *mut Text,
    ) -> u32,
    /// Whether any callback would run, as far as that is known without asking another process: 1 or 0.
    pub is_hooked: unsafe extern "C" fn(point: *const DispatchPoint) -> u32,
    /// Runs the chain of the point over `payload`, on this thread: every callback in order, until one decides. `context`
    /// is what its callbacks see as the current one, of which the host takes the deadline and the trace; null for the
    /// context of this thread. Returns [`DISPATCH_OK`], or why nothing was dispatched: then the payload is unchanged, and
    /// `outcome` has no decision.
    pub run: unsafe extern "C" fn(
        point: *const DispatchPoint,
        payload: *mut c_void,
        context: *const Context,
        outcome: *mut DispatchOutcome,
    ) -> u32,
    /// Gives a point back, which nobody uses any more. Returns 0, or 1 if the instance has no such point.
    pub close: unsafe extern "C" fn(handle: *const Handle, point: *const DispatchPoint) -> u32,
}

/// The chain was run.
pub const DISPATCH_OK: u32 = 0;
/// The instance is being stopped.
pub const DISPATCH_CLOSED: u32 = 1;
/// Too many dispatches of this instance are running within each other already; only in a worker. In the host's process the
/// point's faults say what such a dispatch comes to.
pub const DISPATCH_TOO_DEEP: u32 = 2;
/// The payload could not cross to the host, or back; only in a worker.
pub const DISPATCH_FAILED: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_first_version() {
        check_layout!(DispatchOutcome, 56: size 0, decision 4, decided_by 8, reason 32);
        check_layout!(DispatchService, 40: size 0, point 8, is_hooked 16, run 24, close 32);
        check_layout!(DispatchSpec, 56: size 0, revision 4, point 8, fingerprint 24, layout 40, ops 48);
    }
}

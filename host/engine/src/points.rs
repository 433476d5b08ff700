//! The points that plugins dispatch themselves: what stands behind `dispatch/1`. In the host that is its registry, in a worker a
//! question to its host.

use std::ffi::c_void;
use std::fmt;
use std::ptr::null;
use std::sync::Arc;

use hookrail_abi::boundary::{DispatchSpec, Growing};
use hookrail_abi::{Decision, PayloadOps};
use hookrail_loader::complete;
use serde::{Deserialize, Serialize};

/// How long the name of a point may be, in bytes.
const LONGEST: usize = 256;

/// The points that the instances of a plugin may dispatch.
pub trait Points: fmt::Debug + Send + Sync {
    /// The point of that declaration.
    ///
    /// # Errors
    /// Why the plugin cannot dispatch it; for its author.
    fn find(&self, wish: &PointWish) -> Result<Arc<dyn FoundPoint>, String>;
}

/// A point that a plugin may dispatch.
pub trait FoundPoint: Send + Sync {
    /// Whether any callback would run, as far as that is known without asking another process.
    fn is_hooked(&self) -> bool;

    /// The operations of its payload.
    fn ops(&self) -> &PayloadOps;

    /// Runs its chain, within that context, or else within that of this thread.
    ///
    /// # Errors
    /// If nothing was dispatched; then the payload is unchanged.
    ///
    /// # Safety
    /// `payload` points to a payload of the point, exclusive for the call.
    unsafe fn dispatch(
        &self,
        payload: *mut c_void,
        context: Option<&DispatchContext>,
    ) -> Result<Dispatched, NotDispatched>;
}

/// A point, as a plugin was built with it.
#[derive(Clone, Debug)]
pub struct PointWish {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: u32,
    /// The fingerprint of its payload.
    pub fingerprint: [u64; 2],
    /// abi_stable's layout of its payload, which holds for the call; or null.
    pub layout: *const c_void,
    /// The operations of its payload, if the plugin has given some.
    pub ops: Option<PayloadOps>,
}

/// What the callbacks of a dispatch learn of it from a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispatchContext {
    /// Its deadline, an instant of `CLOCK_MONOTONIC`; 0 for none.
    pub deadline_ns: u64,
    /// The trace that it belongs to; all zeros for none.
    pub trace: [u8; 16],
}

/// What a dispatch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatched {
    /// The decision of the chain.
    pub decision: Decision,
    /// The callback that decided, `INSTANCE/CALLBACK`, if one did.
    pub decided_by: Option<String>,
    /// Why it was denied, if the callback said why.
    pub reason: Option<String>,
}

/// Why nothing was dispatched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotDispatched {
    /// The host dispatches nothing more for it.
    Closed,
    /// The payload could not cross.
    NotCarried(String),
    /// Too many dispatches are running within each other.
    TooDeep,
}

impl PointWish {
    /// A copy of it.
    ///
    /// # Errors
    /// If it is malformed; for its author.
    ///
    /// # Safety
    /// `at` points to a specification of any version, which holds for the call, with all that it points to.
    pub unsafe fn copied(at: *const DispatchSpec) -> Result<Self, String> {
        // SAFETY: by the contract.
        let spec = unsafe { DispatchSpec::read(at) }.map_err(|too_small| format!("a specification of {too_small}"))?;
        if spec.point.len > LONGEST {
            return Err(format!("a name of {} bytes; {LONGEST} are allowed", spec.point.len));
        }
        // SAFETY: by the contract, for the text and for the operations.
        let (name, ops) = unsafe {
            let ops = (!spec.ops.is_null()).then(|| complete(spec.ops)).transpose();
            (spec.point.to_text().into_owned(), ops)
        };
        let ops = ops.map_err(|incomplete| format!("payload operations {incomplete}"))?;
        Ok(PointWish { name, revision: spec.revision, fingerprint: spec.fingerprint, layout: spec.layout, ops })
    }

    /// One that comes from another process: without what cannot cross.
    pub fn crossed(name: String, revision: u32, fingerprint: [u64; 2]) -> Self {
        PointWish { name, revision, fingerprint, layout: null(), ops: None }
    }
}

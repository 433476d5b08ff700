//! A declared point.

use std::ffi::c_void;

use abi_stable::StableAbi;
use abi_stable::type_layout::TypeLayout;
use hookrail_abi::{Decision, FaultPolicy, Kind, PayloadOps, Point, RawKind};
use hookrail_model::config::{FaultPolicies, PointConfig};

use crate::chain::{Chain, Outcome};

/// A declared point: its chain, and what admission needs to know. What it refers to is in the host's own program, so it
/// stays valid forever.
#[derive(Debug)]
pub struct PointState {
    /// The chain that dispatches run.
    pub chain: Chain,
    /// The revision of the point.
    pub revision: u32,
    /// The fault policy of callbacks that state none.
    pub fault: FaultPolicy,
    /// The fingerprint of the payload's shape.
    pub fingerprint: [u64; 2],
    /// The payload's layout, for comparing it with a plugin's.
    pub layout: &'static TypeLayout,
    pub(crate) ops: &'static PayloadOps,
    default: Decision,
}

impl PointState {
    pub(crate) fn of<P: Point>(config: Option<&PointConfig>, faults: FaultPolicies) -> Self {
        let said = config.and_then(|config| config.fault_policy).or(faults.of(P::Kind::RAW));
        let deniable = P::DENIABLE || P::Kind::RAW == RawKind::Gate;
        PointState {
            chain: Chain::new(P::NAME, P::Kind::RAW, deniable),
            revision: P::REVISION,
            fault: said.unwrap_or(P::FAULT),
            fingerprint: P::shape().fingerprint,
            layout: P::Payload::LAYOUT,
            ops: P::ops(),
            default: P::DEFAULT,
        }
    }

    /// Whether it is the same declaration.
    pub(crate) fn is<P: Point>(&self) -> bool {
        self.revision == P::REVISION
            && self.chain.facts.kind == P::Kind::RAW
            && self.fingerprint == P::shape().fingerprint
    }

    /// Runs the chain, for whoever does not know the type of the payload: as
    /// [`HookPoint::dispatch`](crate::HookPoint::dispatch).
    ///
    /// # Safety
    /// `payload` points to the point's payload, exclusive for the call.
    pub unsafe fn dispatch(&self, payload: *mut c_void) -> Outcome {
        // SAFETY: by the contract.
        unsafe { self.chain.dispatch(payload, self.default) }
    }

    /// Whether any callback would run.
    pub fn is_hooked(&self) -> bool {
        self.chain.has_callbacks()
    }

    /// What its callbacks may do.
    pub fn kind(&self) -> RawKind {
        self.chain.facts.kind
    }

    /// The operations of its payload.
    pub fn ops(&self) -> &'static PayloadOps {
        self.ops
    }

    /// Whether its payload never leaves this process.
    pub fn is_local(&self) -> bool {
        self.ops.encode.is_none()
    }
}

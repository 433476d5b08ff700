//! A point of a host, to dispatch on.

use std::fmt;
use std::ptr::from_mut;
use std::sync::Arc;

use hookrail_abi::Point;
use hookrail_abi::boundary::RawCallback;
use hookrail_model::error::ApiMisuse;

use crate::chain::{Chain, Outcome};
use crate::registry::{PointState, Registry};

/// A point of a host, to dispatch on. Cheap to clone; it may outlive the host, and then has no
/// callbacks.
pub struct HookPoint<P> {
    state: Arc<PointState>,
    point: std::marker::PhantomData<fn(P)>,
}

impl Registry {
    /// The point of that declaration, made at its first use, to dispatch on.
    pub fn hook_point<P: Point>(&self, _point: P) -> Result<HookPoint<P>, ApiMisuse> {
        Ok(HookPoint { state: self.declare::<P>()?, point: std::marker::PhantomData })
    }
}

impl<P> Clone for HookPoint<P> {
    fn clone(&self) -> Self {
        HookPoint { state: self.state.clone(), point: std::marker::PhantomData }
    }
}

impl<P: Point> fmt::Debug for HookPoint<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookPoint").field("point", &P::NAME).finish_non_exhaustive()
    }
}

impl<P: Point> HookPoint<P> {
    /// Runs the chain: every callback in order, until one decides.
    ///
    /// Costs a load and a branch when nobody hooks the point, and otherwise the calls themselves
    /// and about a nanosecond. Makes no system call and takes no lock, unless a callback denies, fails or
    /// is quarantined, somebody traces it, dispatches are nested too deep, or this thread has something left to
    /// run of a plugin that is leaving. Not for signal handlers.
    // Always: a call and its spills would cost as much again as what it does.
    #[inline(always)]
    pub fn dispatch(&self, payload: &mut P::Payload) -> Outcome {
        // SAFETY: the payload is that of the point, and exclusive.
        unsafe { self.state.chain.dispatch(from_mut(payload).cast(), const { P::DEFAULT }) }
    }

    /// Whether any callback would run: worth asking before building an expensive payload.
    #[inline]
    pub fn is_hooked(&self) -> bool {
        self.state.chain.has_callbacks()
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.state.chain
    }

    /// The code and the context of each callback, in order: the baseline that benchmarks compare
    /// with. Calling one is only sound while its owner stays registered.
    #[doc(hidden)]
    pub fn raw_pairs(&self) -> Vec<(RawCallback, *mut std::ffi::c_void)> {
        self.state.chain.parts()
    }
}

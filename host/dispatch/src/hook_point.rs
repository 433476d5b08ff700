//! A point of a host, to dispatch on.

use std::fmt;
use std::ptr::from_mut;
use std::sync::Arc;

use hookrail_abi::Point;
use hookrail_abi::boundary::RawCallback;
use hookrail_model::error::ApiMisuse;

use crate::chain::{Chain, Outcome};
use crate::registry::{PointState, Registry};

/// A point of a host, to dispatch on. Cheap to clone. It may outlive the host, and then has no callbacks.
pub struct HookPoint<P> {
    state: Arc<PointState>,
    point: std::marker::PhantomData<fn(P)>,
}

impl Registry {
    /// The point of that declaration, which is declared at its first use.
    ///
    /// # Errors
    /// If a different point with this name is already declared.
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
    /// If the point has no callbacks this costs a load and a branch; otherwise it costs the calls and about a
    /// nanosecond. It makes no system call and takes no lock, unless a callback denies, fails or is quarantined, the
    /// point is being traced, dispatches nest too deeply, or this thread has destructors to run of a plugin that is
    /// being unloaded. It must not be called from a signal handler.
    // Always: a call and its spills would cost as much again as what it does.
    #[inline(always)]
    pub fn dispatch(&self, payload: &mut P::Payload) -> Outcome {
        // SAFETY: the payload is that of the point, and exclusive.
        unsafe { self.state.chain.dispatch(from_mut(payload).cast(), const { P::DEFAULT }) }
    }

    /// Whether any callback would run: worth checking before building an expensive payload.
    #[inline]
    pub fn is_hooked(&self) -> bool {
        self.state.chain.has_callbacks()
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.state.chain
    }

    /// The code and the context of each callback, in order: the baseline that benchmarks compare with. Calling one is
    /// sound only while its owner stays registered.
    #[doc(hidden)]
    pub fn raw_pairs(&self) -> Vec<(RawCallback, *mut std::ffi::c_void)> {
        self.state.chain.parts()
    }
}

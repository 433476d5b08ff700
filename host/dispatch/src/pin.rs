//! The chains of several points at one instant.

use std::ptr::from_mut;

use hookrail_abi::Point;

use crate::chain::Outcome;
use crate::hook_point::HookPoint;
use crate::registry::{Registry, Root};

/// The chains of a host as they were at one instant: `Host::pin`.
#[derive(Debug)]
pub struct PinnedChains<'a> {
    root: &'a Root,
}

impl PinnedChains<'_> {
    /// Runs the chain of a point as it was when the pin began, whatever has been loaded or unloaded since. A point that
    /// was declared later, or that belongs to another host, has no callbacks here.
    pub fn dispatch<P: Point>(&self, point: &HookPoint<P>, payload: &mut P::Payload) -> Outcome {
        let chain = point.chain();
        let snapshot = self.root.find(chain);
        // SAFETY: the payload is that of the point, and exclusive; the pin has been inside since
        // before it loaded the root, which keeps the snapshots in it.
        unsafe { chain.dispatch_pinned(snapshot, from_mut(payload).cast(), const { P::DEFAULT }) }
    }
}

impl Registry {
    /// Calls `read` with the chains of all points as they are now, which stay until it returns.
    pub fn pinned<R>(&self, read: impl FnOnce(&PinnedChains<'_>) -> R) -> R {
        self.pin(|root| read(&PinnedChains { root }))
    }
}

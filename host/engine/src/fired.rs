//! The points of this host, for the plugins that dispatch them.

use std::ffi::c_void;
use std::fmt;
use std::sync::{Arc, Weak};

use hookrail_abi::PayloadOps;
use hookrail_abi::boundary::Context;
use hookrail_dispatch::{Outcome, PointState, Registry, frame, names};
use hookrail_model::error::Incompatible;
use hookrail_model::note::NotePoint;

use crate::admission::{layout, suggestion};
use crate::points::{DispatchContext, Dispatched, FoundPoint, NotDispatched, PointWish, Points};

/// Those of a host, for a plugin whose note lists these.
pub(crate) struct OfHost {
    registry: Weak<Registry>,
    fires: Vec<NotePoint>,
}

impl OfHost {
    pub(crate) fn new(registry: &Arc<Registry>, fires: &[NotePoint]) -> Self {
        OfHost { registry: Arc::downgrade(registry), fires: fires.to_vec() }
    }
}

impl Points for OfHost {
    fn find(&self, wish: &PointWish) -> Result<Arc<dyn FoundPoint>, String> {
        let PointWish { name, revision, fingerprint, layout, .. } = wish;
        if !self.fires.iter().any(|fired| fired.point == *name) {
            return Err(format!(
                "its note does not say that it dispatches {name}: list the point in `FIRES`, in C under `fires` in the note"
            ));
        }
        let registry = self.registry.upgrade().ok_or("the host has ended")?;
        let incompatible = |why: Incompatible| why.to_string();
        let state = registry
            .point(name)
            .ok_or_else(|| incompatible(Incompatible::unknown_point(name, suggestion(&registry, name))))?;
        if *revision != state.revision {
            return Err(incompatible(Incompatible::point_revision(name, *revision, state.revision)));
        }
        if *fingerprint != state.fingerprint {
            // SAFETY: null, or the layout of a library that is loaded for the call.
            let difference = unsafe { layout::difference(state.layout, *layout) };
            return Err(incompatible(Incompatible::payload(name, difference)));
        }
        Ok(Arc::new(OfRegistry(state)))
    }
}

impl fmt::Debug for OfHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfHost").field("fires", &self.fires).finish_non_exhaustive()
    }
}

/// A point of the host of this process.
struct OfRegistry(Arc<PointState>);

impl FoundPoint for OfRegistry {
    fn is_hooked(&self) -> bool {
        self.0.is_hooked()
    }

    fn ops(&self) -> &PayloadOps {
        self.0.ops()
    }

    unsafe fn dispatch(
        &self,
        payload: *mut c_void,
        context: Option<&DispatchContext>,
    ) -> Result<Dispatched, NotDispatched> {
        // SAFETY: by the contract.
        let dispatch = || unsafe { self.0.dispatch(payload) };
        Ok(told(match context {
            None => dispatch(),
            Some(DispatchContext { deadline_ns, trace }) => {
                frame::about(&Context { deadline_ns: *deadline_ns, trace: *trace, ..frame::now() }, dispatch)
            }
        }))
    }
}

fn told(outcome: Outcome) -> Dispatched {
    let decision = outcome.decision();
    let decided_by = outcome.decided_by().map(|callback| names::name(callback).to_string());
    let reason = if outcome.is_denied() { frame::reason(outcome.denial()) } else { None };
    Dispatched { decision, decided_by, reason }
}

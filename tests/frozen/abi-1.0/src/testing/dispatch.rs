//! The points that a plugin under test dispatches: the test decides in place of other plugins.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::boundary::{Context, DISPATCH_OK, DispatchOutcome, DispatchPoint, DispatchService, DispatchSpec, Handle};
use crate::{Decision, Fires, Point, RawKind, Text, catalogue};

/// What a handle points to.
pub(super) trait HasPoints: Send + Sync + 'static {
    fn points(&self) -> &Points;
}

/// The service to plugins whose handles were made by `Arc::as_ptr` of such.
pub(super) const fn service<H: HasPoints>() -> DispatchService {
    DispatchService { size: size_of::<DispatchService>() as u32, point: point::<H>, is_hooked, run, close }
}

/// Decides about payloads of one point.
type Decide = dyn Fn(*mut c_void) -> Decision + Send + Sync;

/// What the plugin may dispatch, and who decides.
pub(super) struct Points {
    fires: Fires,
    decide: Arc<Mutex<BTreeMap<&'static str, Arc<Decide>>>>,
}

/// A point that the plugin has found.
struct Found {
    point: &'static str,
    decide: Arc<Mutex<BTreeMap<&'static str, Arc<Decide>>>>,
}

impl Points {
    pub(super) fn of(fires: Fires) -> Self {
        Points { fires, decide: Arc::default() }
    }

    pub(super) fn decide<T: Point>(&self, decide: impl Fn(&mut T::Payload) -> Decision + Send + Sync + 'static) {
        // SAFETY: `run` passes what the plugin dispatches on this point, exclusively: a payload of `T`.
        let decide = move |payload: *mut c_void| decide(unsafe { &mut *payload.cast::<T::Payload>() });
        self.decide.lock().unwrap_or_else(PoisonError::into_inner).insert(T::NAME, Arc::new(decide));
    }

    fn find(&self, name: &str) -> Result<Found, String> {
        let fired = self.fires.iter().find(|fired| fired.point == name);
        let fired = fired.ok_or_else(|| format!("the plugin does not list {name} in `FIRES`"))?;
        Ok(Found { point: fired.point, decide: self.decide.clone() })
    }
}

impl Found {
    fn decider(&self) -> Option<Arc<Decide>> {
        self.decide.lock().unwrap_or_else(PoisonError::into_inner).get(self.point).cloned()
    }

    /// What a chain comes to in which nobody decides.
    fn default(&self) -> Decision {
        let is_gate = catalogue::BUILT_IN.iter().any(|known| known.name == self.point && known.kind == RawKind::Gate);
        if is_gate { Decision::Denied(0) } else { Decision::Passed }
    }
}

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Points").field("fires", &self.fires).finish_non_exhaustive()
    }
}

/// # Safety
/// As `dispatch/1` says; the handle is that of an instance whose `Running` is still there, and made of an `H`.
unsafe extern "C" fn point<H: HasPoints>(
    handle: *const Handle,
    spec: *const DispatchSpec,
    point: *mut *const DispatchPoint,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the rest holds for the call.
    let (points, name, point, why) =
        unsafe { ((*handle.cast::<H>()).points(), (*spec).point.to_text(), &mut *point, &mut *why) };
    match points.find(&name) {
        Ok(found) => {
            *point = Box::into_raw(Box::new(found)).cast_const().cast();
            0
        }
        Err(refused) => {
            why.push_str(&refused);
            1
        }
    }
}

/// # Safety
/// `point` was found and not closed.
unsafe extern "C" fn is_hooked(point: *const DispatchPoint) -> u32 {
    // SAFETY: the caller promises it.
    u32::from(unsafe { &*point.cast::<Found>() }.decider().is_some())
}

/// # Safety
/// As `dispatch/1` says.
unsafe extern "C" fn run(
    point: *const DispatchPoint,
    payload: *mut c_void,
    _context: *const Context,
    outcome: *mut DispatchOutcome,
) -> u32 {
    // SAFETY: the point was found and not closed; the outcome is the plugin's, for the call.
    let (found, outcome) = unsafe { (&*point.cast::<Found>(), &mut *outcome) };
    let decided = found.decider().map(|decide| decide(payload)).filter(|decision| *decision != Decision::Passed);
    if decided.is_some() {
        outcome.decided_by = Text::from("test/decide");
    }
    let decision = decided.unwrap_or_else(|| found.default());
    outcome.decision = decision.to_raw();
    DISPATCH_OK
}

/// # Safety
/// `point` was found and not closed, and nobody uses it any more.
unsafe extern "C" fn close(_handle: *const Handle, point: *const DispatchPoint) -> u32 {
    // SAFETY: `point` made it from a box.
    drop(unsafe { Box::from_raw(point.cast_mut().cast::<Found>()) });
    0
}

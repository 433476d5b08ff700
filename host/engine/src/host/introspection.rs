//! Inspecting dispatches, and what they find out.

use std::fmt;
use std::sync::{Arc, Weak};

use hookrail_dispatch::{Callback, CallbackState, Queue, Tracer};
use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::event::EventKind;
use hookrail_model::log;
use hookrail_model::stats::StatsLevel;
use hookrail_model::trace::{MissingField, Trace, TraceFilter};

use super::core::Core;
use crate::receive::receive;

/// The requested traces of a point, as they are taken. Dropping it stops tracing.
#[must_use = "dropping it stops tracing"]
pub struct Traces {
    core: Weak<Core>,
    point: String,
    tracer: Arc<Tracer>,
}

receive!(Traces, Trace, "all that were asked for were received, or the host has been dropped");

impl Traces {
    /// The fields that the dispatches so far had, if none of them had the field of the filter; then none of them can
    /// have been traced.
    pub fn missing_field(&self) -> Option<MissingField> {
        self.tracer.missing_field()
    }

    fn queue(&self) -> &Queue<Trace> {
        &self.tracer.taken
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            let is_ours = |tracer: &Arc<Tracer>| Arc::ptr_eq(tracer, &self.tracer);
            core.registry.watch(&self.point, |_, tracers| tracers.0.retain(|tracer| !is_ours(tracer)));
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("point", &self.point).finish_non_exhaustive()
    }
}

impl Core {
    /// Sets how much the point's dispatches record from now on.
    ///
    /// # Errors
    /// If there is no such point.
    pub fn set_level(&self, point: &str, level: StatsLevel) -> Result<(), Error> {
        if !self.registry.watch(point, |now, _| *now = level) {
            return Err(ApiMisuse::NoPoint(point.into()).into());
        }
        Ok(())
    }

    /// Collects the next `count` dispatches of the point that match the filter, each with what every callback did to
    /// it.
    ///
    /// # Errors
    /// If there is no such point.
    pub fn trace(self: &Arc<Self>, point: &str, filter: Option<TraceFilter>, count: usize) -> Result<Traces, Error> {
        let tracer = Arc::new(Tracer::new(filter, count));
        if !self.registry.watch(point, |_, tracers| tracers.0.push(tracer.clone())) {
            return Err(ApiMisuse::NoPoint(point.into()).into());
        }
        // A host that is being dropped may have ended all traces before this one was among them.
        if self.table.is_closing() {
            tracer.close();
        }
        Ok(Traces { core: Arc::downgrade(self), point: point.into(), tracer })
    }

    /// Calls a quarantined callback again; `name` is `instance/callback`.
    ///
    /// # Errors
    /// If there is no such point or callback, or it is not quarantined.
    pub fn unquarantine(&self, point: &str, name: &str) -> Result<(), Error> {
        let mut is_quarantined = false;
        let is_meant = |callback: &Callback| callback.full_name() == name;
        let released = self.registry.stand(point, is_meant, |callback| {
            is_quarantined =
                matches!(*callback.state.lock(), CallbackState::HalfOpen(_) | CallbackState::Quarantined(_));
            is_quarantined.then(|| callback.arm())
        });
        match released {
            None if self.registry.point(point).is_none() => Err(ApiMisuse::NoPoint(point.into()).into()),
            None => Err(ApiMisuse::no_callback(point, name).into()),
            Some(_) if !is_quarantined => Err(ApiMisuse::not_quarantined(point, name).into()),
            Some(callback) => {
                let generation = callback.generation;
                log!(info, point, generation, "{name} is called again, as requested");
                let released = |callback| EventKind::released(point, callback, false);
                self.tell(name, generation, released);
                Ok(())
            }
        }
    }
}

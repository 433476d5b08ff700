//! What a host counts and measures.

use std::sync::Arc;

use hookrail_dispatch::view;
use hookrail_model::metrics::{Family, limited, of_plugins, of_points};
use hookrail_store::Depth;
use parking_lot::RwLock;

use crate::call::Call;

/// What the program itself measures, beside the host.
#[derive(Clone, Default)]
pub(crate) struct Meters(Arc<RwLock<Vec<Box<Meter>>>>);

type Meter = dyn Fn() -> Vec<Family> + Send + Sync;

impl Meters {
    pub(crate) fn add(&self, meter: impl Fn() -> Vec<Family> + Send + Sync + 'static) {
        self.0.write().push(Box::new(meter));
    }

    pub(super) fn read(&self, call: &Call<'_>) -> Vec<Family> {
        let core = call.core();
        let mut build = Family::gauge("hookrail_build_info", "The version of the host; always 1.");
        build.add([("version", env!("CARGO_PKG_VERSION"))], 1);
        let mut uptime = Family::gauge("hookrail_uptime_seconds", "Whole seconds since the host began.");
        uptime.add([], core.began.elapsed().as_secs());
        let mut families = vec![build, uptime];
        // A store that cannot be read must not hide what the host counts.
        let plugins = call.plugins(Depth::Metadata).unwrap_or_else(|_| core.loaded());
        families.extend(of_plugins(&plugins));
        families.extend(of_points(&view::points(&core.registry)));
        families.extend(self.0.read().iter().flat_map(|meter| meter()));
        limited(families)
    }
}

//! The operator's verbs on what is installed, in the host that loads it: each changes the store and the host, or
//! neither.
//!
//! 1. A verb begins a [`Change`](hookrail_store::Change). Where the host could refuse what comes, it is asked before
//!    the change is written: a library is loaded or takes the place of another while the store still says what was.
//! 2. Where it is written and fails, the host goes back to what the store says.
//! 3. Where the host gives up a version on probation, the store follows it.
//! 4. The same verbs serve where no host runs, in one that loads nothing.

mod apply;
mod config;
mod fallback;
mod incoming;
mod installed;
mod list;
mod plan;
mod start;

use std::sync::Arc;

use hookrail_engine::{Core, RuntimeOverrides};
use hookrail_store::{Library, Wanted};
use serde_json::Value;

pub use self::start::NotLoaded;
use crate::attached_store::AttachedStore;

/// A host and its store.
#[derive(Clone, Copy)]
pub(crate) struct Verbs<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) attached: &'a AttachedStore,
}

/// How one generation takes the place of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swap {
    /// Leaves the state behind.
    pub(crate) fresh: bool,
    /// How long to wait for the end of the old one.
    pub(crate) wait_ms: Option<u64>,
}

impl Verbs<'_> {
    /// What a plugin begins with beside the host's configuration.
    fn wishes(self, wanted: &Wanted) -> RuntimeOverrides {
        let Wanted { library: Library { name, .. }, config, overrides, .. } = wanted;
        let is_set = !config.is_null() && self.host_says(name).is_none();
        RuntimeOverrides {
            configs: is_set.then(|| (name.clone(), config.clone())).into_iter().collect(),
            overrides: overrides.clone(),
        }
    }

    /// How the host's own configuration configures a plugin, if it does.
    fn host_says(self, name: &str) -> Option<Value> {
        let plugin = self.core.config.plugins.get(name)?;
        let instances =
            || plugin.instances.iter().map(|(key, instance)| (key.clone(), instance.config.clone())).collect();
        match (plugin.config.is_null(), plugin.instances.is_empty()) {
            (true, true) => None,
            (false, _) => Some(plugin.config.clone()),
            (true, false) => Some(Value::Object(instances())),
        }
    }
}

//! The operator's verbs on the store, in the host that loads from it: each changes both the store and the host, or
//! neither.
//!
//! 1. A verb begins a [`Change`](hookrail_store::Change). If the host could refuse the new state, the host is changed
//!    before the store is written: a library is loaded, or replaces another, while the store still describes the old
//!    state.
//! 2. If writing fails, the host goes back to what the store describes.
//! 3. If the host rolls back a version on probation, the store follows.
//! 4. The same verbs serve where no host runs, in a host that loads nothing.

mod apply;
mod callbacks;
mod config;
pub(crate) mod declared;
mod fallback;
mod foresee;
mod incoming;
mod installed;
pub(crate) mod isolation;
mod list;
mod plan;
mod start;

use std::sync::Arc;

use hookrail_engine::{Core, RuntimeOverrides};
use hookrail_model::isolation::{Placed, PlacedBy};
use hookrail_store::{Library, LoadSpec};
use serde_json::Value;

pub(crate) use self::config::Reconfigure;
pub use self::start::NotLoaded;
use crate::attached_store::AttachedStore;

/// A host and its store.
#[derive(Clone, Copy)]
pub(crate) struct Verbs<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) attached: &'a AttachedStore,
}

/// How one generation replaces another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swap {
    /// Whether to leave the state behind.
    pub(crate) fresh: bool,
    /// How long to wait for the end of the old generation.
    pub(crate) wait_ms: Option<u64>,
}

impl Verbs<'_> {
    /// The plugin's settings besides the host's configuration.
    fn wishes(self, spec: &LoadSpec) -> RuntimeOverrides {
        let LoadSpec { library: Library { name, .. }, config, overrides, isolation, .. } = spec;
        let is_set = !config.is_null() && self.host_says(name).is_none();
        let isolation = isolation.clone().filter(|_| self.core.config.placed(name).is_none());
        let isolation = isolation.map(|process| Placed::new(process, PlacedBy::Store));
        RuntimeOverrides {
            configs: is_set.then(|| (name.clone(), config.clone())).into_iter().collect(),
            overrides: overrides.clone(),
            isolation,
        }
    }

    /// The host's own configuration of a plugin, if there is one: what its file says by now.
    fn host_says(self, name: &str) -> Option<Value> {
        let by_now =
            |instance: &str, config: &Value| self.core.table.of_file(instance).unwrap_or_else(|| config.clone());
        let plugin = self.core.config.plugins.get(name);
        if let Some(plugin) = plugin.filter(|plugin| !plugin.instances.is_empty()) {
            let instances = plugin.instances.iter();
            return Some(
                instances.map(|(key, one)| (key.clone(), by_now(&format!("{name}:{key}"), &one.config))).collect(),
            );
        }
        Some(by_now(name, plugin.map_or(&Value::Null, |plugin| &plugin.config))).filter(|config| !config.is_null())
    }
}

//! What a host knows of the configurations that its plugins write themselves.

use hookrail_dispatch::Owner;
use hookrail_model::error::ApiMisuse;
use hookrail_model::instance::plugin_of;
use hookrail_model::view::Status;
use serde_json::Value;

use super::{Current, Table};
use crate::keeping::{Keeper, Records};

impl Table {
    /// The configuration of a loaded instance, if it was changed since it was loaded.
    pub(in crate::host) fn configuration(&self, instance: &str) -> Result<Option<Value>, ApiMisuse> {
        let names = self.names.lock();
        let current = names.by_name.get(plugin_of(instance)).and_then(|entry| entry.current.as_ref());
        let loaded = current.filter(|current| current.instances.iter().any(|name| name == instance));
        let loaded = loaded.ok_or_else(|| ApiMisuse::NotLoaded(instance.into()))?;
        Ok(loaded.runtime_overrides.configs.get(instance).cloned())
    }
}

impl Records for Table {
    fn keeper(&self) -> Option<&dyn Keeper> {
        self.keeper.get().map(|keeper| &**keeper)
    }

    fn serves(&self, plugin: &str, owner: Owner) -> bool {
        let names = self.names.lock();
        let current = names.by_name.get(plugin).and_then(|entry| entry.current.as_ref());
        let serves = |it: &Current| it.owner == owner && matches!(it.status, Status::Halted | Status::Running);
        current.is_some_and(serves)
    }

    fn revision(&self, instance: &str) -> u64 {
        let names = self.names.lock();
        let entry = names.by_name.get(plugin_of(instance));
        entry.and_then(|entry| entry.revisions.get(instance).copied()).unwrap_or_default()
    }

    fn changed(&self, instance: &str, config: &Value) {
        self.reloaded(instance, config, false);
    }
}

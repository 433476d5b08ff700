//! What a host knows of the configurations of its plugins besides its own: what a file says by now, and what was set.

use std::collections::BTreeMap;

use hookrail_dispatch::Owner;
use hookrail_model::error::ApiMisuse;
use hookrail_model::instance::plugin_of;
use hookrail_model::view::Status;
use serde_json::Value;

use super::{Current, Table};
use crate::keeping::{Keeper, Records};

/// What is said of the configuration of an instance besides the host's own.
#[derive(Clone, Debug, Default)]
pub(in crate::host) struct Stated {
    /// What was set while it ran, by a command or by the plugin itself; it goes before the rest.
    pub(in crate::host) set: Option<Value>,
    /// What a configuration file says by now, if it was read again.
    pub(in crate::host) of_file: Option<Value>,
}

impl Table {
    /// The configuration of a loaded instance, if it was changed since the host was created.
    pub(in crate::host) fn configuration(&self, instance: &str) -> Result<Option<Value>, ApiMisuse> {
        let names = self.names.lock();
        let current = names.by_name.get(plugin_of(instance)).and_then(|entry| entry.current.as_ref());
        let loaded = current.is_some_and(|current| current.instances.iter().any(|name| name == instance));
        drop(names);
        let stated = loaded.then(|| self.stated(instance)).ok_or_else(|| ApiMisuse::NotLoaded(instance.into()))?;
        Ok(stated.set.or(stated.of_file))
    }

    /// What is said of an instance besides the host's configuration.
    pub(in crate::host) fn stated(&self, instance: &str) -> Stated {
        let names = self.names.lock();
        let Some(entry) = names.by_name.get(plugin_of(instance)) else { return Stated::default() };
        let current = entry.current.as_ref();
        let set = current.and_then(|current| current.runtime_overrides.configs.get(instance));
        Stated { set: set.cloned(), of_file: entry.of_file.get(instance).cloned() }
    }

    /// Changes what is said of an instance of a loaded plugin: the next generations start with it, also after a rollback.
    pub(in crate::host) fn state(&self, instance: &str, change: impl FnOnce(&mut Stated)) {
        let mut names = self.names.lock();
        let Some(entry) = names.by_name.get_mut(plugin_of(instance)) else { return };
        let Some(current) = &mut entry.current else { return };
        let set = current.runtime_overrides.configs.get(instance).cloned();
        let mut stated = Stated { set, of_file: entry.of_file.get(instance).cloned() };
        change(&mut stated);
        *entry.revisions.entry(instance.into()).or_default() += 1;
        put(&mut entry.of_file, instance, stated.of_file);
        let former = entry.probations.iter_mut().filter_map(|it| it.rollback_point.runtime_overrides.as_mut());
        for runtime in former.chain([&mut current.runtime_overrides]) {
            put(&mut runtime.configs, instance, stated.set.clone());
        }
    }

    /// Sets the configuration of an instance of a loaded plugin, for its next generations.
    pub fn set_configuration(&self, instance: &str, config: &Value) {
        self.state(instance, |stated| stated.set = Some(config.clone()));
    }

    /// What a configuration file says of an instance by now, if it was read again; null if it no longer says anything.
    pub fn of_file(&self, instance: &str) -> Option<Value> {
        self.stated(instance).of_file
    }

    /// What differs when the secrets differ that a loaded instance was given; `None` if it was given none.
    pub(in crate::host) fn given_secrets(&self, instance: &str) -> Option<u64> {
        let names = self.names.lock();
        let keeping = names.by_name.get(plugin_of(instance))?.current.as_ref()?.keeping.clone()?;
        drop(names);
        keeping.given(instance)?.fingerprint()
    }
}

fn put(configs: &mut BTreeMap<String, Value>, instance: &str, config: Option<Value>) {
    match config {
        Some(config) => configs.insert(instance.into(), config),
        None => configs.remove(instance),
    };
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
        self.set_configuration(instance, config);
    }
}

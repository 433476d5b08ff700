//! The right to change what serves under a name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hookrail_dispatch::Owner;
use hookrail_model::config::CallbackOverride;
use hookrail_model::error::ApiMisuse;
use hookrail_model::log_level::LogLevel;
use hookrail_model::view::Status;
use parking_lot::MutexGuard;
use serde_json::Value;

use super::probation::ProbationEntry;
use super::{Current, Doing, Entry, Names, Table};
use crate::config::RuntimeOverrides;
use crate::endpoints::Endpoints;
use crate::host::handle::PluginHandle;
use crate::plugin::Lifecycle;

/// What the holder of a reservation needs to know of the plugin.
pub(in crate::host) struct Serving {
    pub(in crate::host) generation: u64,
    pub(in crate::host) load: Owner,
    pub(in crate::host) owner: Owner,
    pub(in crate::host) lifecycle: Lifecycle,
    pub(in crate::host) version: String,
    pub(in crate::host) endpoints: Option<Arc<Endpoints>>,
}

/// The right to change what serves under a name. Other callers are told which operation is in progress.
pub(in crate::host) struct Reservation {
    table: Arc<Table>,
    name: String,
}

impl Table {
    /// Reserves a name under which no plugin is loaded.
    pub(in crate::host) fn reserve_new(self: &Arc<Self>, name: &str) -> Result<Reservation, ApiMisuse> {
        let mut names = self.names.lock();
        names.check_open()?;
        let entry = names.by_name.entry(name.into()).or_default();
        match (&entry.current, entry.doing()) {
            (_, Some(doing)) => Err(ApiMisuse::busy(name, doing)),
            (Some(_), None) => Err(ApiMisuse::AlreadyLoaded(name.into())),
            (None, None) => Ok(self.reserved(entry, name, "loaded")),
        }
    }

    /// Reserves a name, whether a plugin is loaded under it or not.
    pub(in crate::host) fn reserve_name(
        self: &Arc<Self>,
        name: &str,
        doing: &'static str,
    ) -> Result<Reservation, ApiMisuse> {
        let mut names = self.names.lock();
        names.check_open()?;
        let entry = names.by_name.entry(name.into()).or_default();
        match entry.doing() {
            Some(doing) => Err(ApiMisuse::busy(name, doing)),
            None => Ok(self.reserved(entry, name, doing)),
        }
    }

    /// Reserves a plugin that has one of these statuses.
    pub(in crate::host) fn reserve(
        self: &Arc<Self>,
        plugin: &PluginHandle,
        statuses: &[Status],
        doing: &'static str,
    ) -> Result<Reservation, ApiMisuse> {
        let mut names = self.names.lock();
        names.check_open()?;
        let entry = names.find(plugin)?;
        match &entry.current {
            Some(current) if !statuses.contains(&current.status) => {
                Err(ApiMisuse::status(plugin.name.clone(), current.status.name()))
            }
            _ => Ok(self.reserved(entry, &plugin.name, doing)),
        }
    }

    /// Waits until no operation on a plugin is in progress, then reserves it, unless another generation serves by then
    /// or the host is being dropped.
    pub(in crate::host) fn reserve_later(
        self: &Arc<Self>,
        name: &str,
        owner: Owner,
        doing: &'static str,
    ) -> Option<Reservation> {
        let mut names = self.names.lock();
        loop {
            if names.closing {
                return None;
            }
            let entry = names.by_name.get_mut(name)?;
            if entry.doing.is_none() {
                let serves = |current: &Current| (current.owner, current.status) == (owner, Status::Running);
                return entry.current.as_ref().is_some_and(serves).then(|| self.reserved(entry, name, doing));
            }
            self.changed.wait(&mut names, None);
        }
    }

    /// Removes a plugin, to unload it. Returns the generation that served, its number, its probations, and its name,
    /// which is free once the callbacks have left their points. Dropping the probations ends them and frees the copies
    /// that they hold, so the caller drops them when there is time for it.
    pub(in crate::host) fn take(
        self: &Arc<Self>,
        plugin: &PluginHandle,
    ) -> Result<(Current, u64, Vec<ProbationEntry>, Reservation), ApiMisuse> {
        let mut names = self.names.lock();
        let entry = names.find(plugin)?;
        let current = entry.current.take().ok_or_else(|| ApiMisuse::NotLoaded(plugin.name.clone()))?;
        let (generation, probations) = (entry.generation, std::mem::take(&mut entry.probations));
        Ok((current, generation, probations, self.reserved(entry, &plugin.name, "unloaded")))
    }

    fn reserved(self: &Arc<Self>, entry: &mut Entry, name: &str, doing: &'static str) -> Reservation {
        entry.doing = Some(Doing { what: doing, since: Instant::now(), is_told: false });
        Reservation { table: self.clone(), name: name.into() }
    }
}

impl Reservation {
    pub(in crate::host) fn name(&self) -> &str {
        &self.name
    }

    /// The serving generation, if there is one.
    pub(in crate::host) fn serving(&self) -> Option<Serving> {
        let names = self.names();
        let entry = names.by_name.get(&self.name)?;
        let current = entry.current.as_ref()?;
        Some(Serving {
            generation: entry.generation,
            load: current.load,
            owner: current.owner,
            lifecycle: current.lifecycle.clone(),
            version: current.version.clone(),
            endpoints: current.endpoints.clone(),
        })
    }

    /// The number that the next generation will have.
    pub(in crate::host) fn next_generation(&self) -> u64 {
        self.names().by_name.get(&self.name).map_or(0, |entry| entry.generation) + 1
    }

    /// The log level, if the operator has set one while the plugin ran.
    pub(in crate::host) fn log(&self) -> Option<LogLevel> {
        self.names().by_name.get(&self.name)?.current.as_ref()?.log
    }

    /// The plugin's settings besides the host's configuration.
    pub(in crate::host) fn runtime_overrides(&self) -> RuntimeOverrides {
        let names = self.names();
        let current = names.by_name.get(&self.name).and_then(|entry| entry.current.as_ref());
        current.map(|current| current.runtime_overrides.clone()).unwrap_or_default()
    }

    /// What a configuration file says of its instances by now, of those of which it was read again.
    pub(in crate::host) fn of_file(&self) -> BTreeMap<String, Value> {
        self.names().by_name.get(&self.name).map(|entry| entry.of_file.clone()).unwrap_or_default()
    }

    /// Records a generation on probation, whose callbacks are about to be published.
    pub(in crate::host) fn begin_probation(&self, probation: ProbationEntry) {
        self.names().by_name.entry(self.name.clone()).or_default().probations.push(probation);
    }

    /// Removes the probation of a generation, unless it has ended.
    pub(in crate::host) fn take_probation(&self, owner: Owner) -> Option<ProbationEntry> {
        let mut names = self.names();
        let probations = &mut names.by_name.get_mut(&self.name)?.probations;
        let index = probations.iter().position(|probation| probation.owner == owner)?;
        Some(probations.swap_remove(index))
    }

    /// Removes the probations of all generations but one. Dropping them ends them and frees the copies that they hold,
    /// so the caller drops them when there is time for it.
    pub(in crate::host) fn end_probations(&self, but: Option<Owner>) -> Vec<ProbationEntry> {
        let mut names = self.names();
        let entry = names.by_name.entry(self.name.clone()).or_default();
        entry.probations.extract_if(.., |probation| Some(probation.owner) != but).collect()
    }

    /// Sets the serving generation. Returns its number, and the probation of the previous one.
    pub(in crate::host) fn set(&self, current: Current) -> (u64, Vec<ProbationEntry>) {
        let past = self.end_probations(Some(current.owner));
        let mut names = self.names();
        let entry = names.by_name.entry(self.name.clone()).or_default();
        entry.generation += 1;
        entry.remark = None;
        let generation = entry.generation;
        let before = entry.current.replace(current);
        drop(names);
        drop(before);
        (generation, past)
    }

    /// Changes what is recorded of the serving generation.
    pub(in crate::host) fn change(&self, change: impl FnOnce(&mut Current)) {
        if let Some(current) = self.names().by_name.get_mut(&self.name).and_then(|entry| entry.current.as_mut()) {
            change(current);
        }
        self.table.changed.notify_all();
    }

    /// Records what is said of its callbacks: the next generations start with it, also after a rollback.
    pub(in crate::host) fn give_overrides(&self, overrides: &[CallbackOverride]) {
        let mut names = self.names();
        let Some(entry) = names.by_name.get_mut(&self.name) else { return };
        let current = entry.current.iter_mut().map(|current| &mut current.runtime_overrides);
        let former = entry.probations.iter_mut().filter_map(|it| it.rollback_point.runtime_overrides.as_mut());
        current.chain(former).for_each(|runtime| runtime.overrides = overrides.into());
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.table.names.lock()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut names = self.names();
        if let Some(entry) = names.by_name.get_mut(&self.name) {
            entry.doing = None;
            if entry.generation == 0 && entry.remark.is_none() {
                names.by_name.remove(&self.name);
            }
        }
        self.table.changed.notify_all();
    }
}

//! What a host knows of its plugins by name: the generation that serves, what is being done to it,
//! and the generations before it.

mod look;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::Plugin;
use super::trial::OnTrial;
use crate::chain::Owner;
use crate::condvar::{Condvar, behind};
use crate::config::{Wishes, plugin_of};
use crate::diagnostics::{LogLevel, Speaker};
use crate::error::ApiMisuse;
use crate::library::NoteHook;
use crate::memory::Meter;
use crate::plugin::Lifecycle;
#[cfg(feature = "control")]
use crate::plugin::Schema;
use crate::unload::Ticket;
use crate::view::Status;

/// How many former generations of a name are remembered.
const REMEMBERED: usize = 8;

/// The plugins of a host, by name. Its lock is never held while foreign code runs, nor while waiting
/// for anything but another holder.
#[derive(Default)]
pub(crate) struct Table {
    names: Mutex<Names>,
    /// Something that was being done is over, or a status changed.
    changed: Condvar,
}

#[derive(Default)]
struct Names {
    by_name: BTreeMap<String, Entry>,
    /// The host is being dropped.
    closing: bool,
}

#[derive(Default)]
struct Entry {
    /// The number of the newest generation.
    generation: u64,
    current: Option<Current>,
    /// What is being done to it, by the holder of the [`Reservation`].
    doing: Option<Doing>,
    former: VecDeque<Former>,
}

/// What is being done to a plugin.
struct Doing {
    what: &'static str,
    since: Instant,
    /// Whether it was told that it takes long.
    is_told: bool,
}

/// The generation that serves.
pub(super) struct Current {
    /// Which load it came from: it stays through upgrades, and is what a [`Plugin`] stands for.
    pub(super) load: Owner,
    pub(super) owner: Owner,
    pub(super) lifecycle: Lifecycle,
    pub(super) version: String,
    /// What it was read from, for people.
    pub(super) file: String,
    pub(super) instances: Vec<String>,
    /// The hooks that its note declares.
    pub(super) declared: Vec<NoteHook>,
    /// What its configurations were held against.
    #[cfg(feature = "control")]
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) status: Status,
    /// What the next generations begin with.
    pub(super) wishes: Wishes,
    pub(super) trial: Option<OnTrial>,
    pub(super) speaker: Arc<Speaker>,
    /// How much the operator wants it to tell, since he said so while it ran.
    pub(super) log: Option<LogLevel>,
}

/// A generation that was replaced or unloaded.
struct Former {
    load: Owner,
    generation: u64,
    version: String,
    ticket: Ticket,
}

/// A generation that serves and counts its memory.
pub(super) struct Metered {
    pub(super) plugin: String,
    pub(super) generation: u64,
    pub(super) owner: Owner,
    pub(super) meter: Arc<Meter>,
}

/// What somebody who reserved a plugin needs to know of it.
pub(super) struct Serving {
    pub(super) generation: u64,
    pub(super) load: Owner,
    pub(super) owner: Owner,
    pub(super) lifecycle: Lifecycle,
    pub(super) version: String,
}

/// The right to change what serves under a name. Others are told what is being done.
pub(super) struct Reservation {
    table: Arc<Table>,
    name: String,
}

impl Table {
    /// Reserves a name that nothing is loaded under.
    pub(super) fn reserve_new(self: &Arc<Self>, name: &str) -> Result<Reservation, ApiMisuse> {
        let mut names = self.names.lock();
        names.check_open()?;
        let entry = names.by_name.entry(name.into()).or_default();
        match (&entry.current, entry.doing()) {
            (_, Some(doing)) => Err(ApiMisuse::Busy { plugin: name.into(), doing }),
            (Some(_), None) => Err(ApiMisuse::AlreadyLoaded(name.into())),
            (None, None) => Ok(self.reserved(entry, name, "loaded")),
        }
    }

    /// Reserves a plugin that has that status.
    pub(super) fn reserve(
        self: &Arc<Self>,
        plugin: &Plugin,
        status: Status,
        doing: &'static str,
    ) -> Result<Reservation, ApiMisuse> {
        let mut names = self.names.lock();
        names.check_open()?;
        let entry = names.find(plugin)?;
        match &entry.current {
            Some(current) if current.status != status => {
                Err(ApiMisuse::Status { plugin: plugin.name.clone(), status: current.status.name() })
            }
            _ => Ok(self.reserved(entry, &plugin.name, doing)),
        }
    }

    /// Reserves a plugin when nothing is being done to it any more, unless another generation serves
    /// then, or the host is being dropped.
    pub(super) fn reserve_later(
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

    fn reserved(self: &Arc<Self>, entry: &mut Entry, name: &str, doing: &'static str) -> Reservation {
        entry.doing = Some(Doing { what: doing, since: Instant::now(), is_told: false });
        Reservation { table: self.clone(), name: name.into() }
    }

    /// Takes out a plugin, to unload it: the generation that served, and its number.
    pub(super) fn take(&self, plugin: &Plugin) -> Result<(Current, u64), ApiMisuse> {
        let mut names = self.names.lock();
        let entry = names.find(plugin)?;
        match entry.current.take() {
            Some(current) => Ok((current, entry.generation)),
            None => Err(ApiMisuse::NotLoaded(plugin.name.clone())),
        }
    }

    /// Remembers a generation that is ending.
    pub(super) fn remember(&self, generation: u64, load: Owner, version: String, ticket: Ticket) {
        let mut names = self.names.lock();
        let entry = names.by_name.entry(ticket.plugin().into()).or_default();
        entry.former.push_back(Former { load, generation, version, ticket });
        if entry.former.len() > REMEMBERED {
            entry.former.pop_front();
        }
    }

    /// The plugin of that name.
    pub(crate) fn plugin(&self, name: &str) -> Option<Plugin> {
        let names = self.names.lock();
        let current = names.by_name.get(name)?.current.as_ref()?;
        Some(Plugin { name: name.into(), load: current.load })
    }

    /// The generation that serves, if it is still of that load.
    pub(super) fn heir(&self, name: &str, load: Owner) -> Option<Lifecycle> {
        let names = self.names.lock();
        let current = names.by_name.get(name)?.current.as_ref()?;
        (current.load == load).then(|| current.lifecycle.clone())
    }

    /// The plugin of an instance that runs, for a reload; nothing is being done to it now.
    pub(super) fn running(&self, instance: &str) -> Result<(Owner, Lifecycle), ApiMisuse> {
        let name = plugin_of(instance);
        let names = self.names.lock();
        let not_loaded = || ApiMisuse::NotLoaded(instance.into());
        let entry = names.by_name.get(name).ok_or_else(not_loaded)?;
        let current = entry.current.as_ref().ok_or_else(not_loaded)?;
        match (entry.doing(), current.status) {
            (Some(doing), _) => Err(ApiMisuse::Busy { plugin: name.into(), doing }),
            (None, Status::Running) => Ok((current.owner, current.lifecycle.clone())),
            (None, status) => Err(ApiMisuse::Status { plugin: name.into(), status: status.name() }),
        }
    }

    /// How much a plugin tells from now on; the next generations too, until it is unloaded.
    pub(crate) fn set_log(&self, plugin: &Plugin, level: LogLevel) -> Result<(), ApiMisuse> {
        let speaker = {
            let mut names = self.names.lock();
            let current = names.find(plugin)?.current.as_mut();
            let current = current.ok_or_else(|| ApiMisuse::NotLoaded(plugin.name.clone()))?;
            current.log = Some(level);
            current.speaker.clone()
        };
        // Without the lock: it calls the plugin.
        speaker.set_level(level);
        Ok(())
    }

    /// A configuration came by a reload: the next generations begin with it.
    pub(crate) fn reloaded(&self, instance: &str, config: &serde_json::Value) {
        let mut names = self.names.lock();
        if let Some(current) = names.by_name.get_mut(plugin_of(instance)).and_then(|entry| entry.current.as_mut()) {
            current.wishes.configs.insert(instance.into(), config.clone());
            if let Some(trial) = &current.trial {
                trial.reloaded(instance, config);
            }
        }
    }

    /// Waits until nothing is being done to a plugin; answers its status, if it is still loaded.
    pub(super) fn wait_idle(&self, plugin: &Plugin, timeout: Duration) -> Option<Status> {
        let deadline = behind(timeout);
        let mut names = self.names.lock();
        let is_busy = |names: &mut Names| names.by_name.get(&plugin.name).is_some_and(|entry| entry.doing.is_some());
        self.changed.wait_while(&mut names, is_busy, Some(deadline));
        let current = names.by_name.get(&plugin.name)?.current.as_ref()?;
        (current.load == plugin.load).then_some(current.status)
    }

    /// Waits until nothing is being done to a plugin; refuses, where that takes longer.
    #[cfg(feature = "control")]
    pub(crate) fn settle(&self, plugin: &Plugin, timeout: Duration) -> Result<(), ApiMisuse> {
        self.wait_idle(plugin, timeout);
        match self.names.lock().find(plugin) {
            Err(busy @ ApiMisuse::Busy { .. }) => Err(busy),
            _ => Ok(()),
        }
    }

    /// Nothing more is to be begun in the background. Waits until nothing is being done, and answers
    /// what is loaded.
    pub(super) fn close(&self, timeout: Duration) -> Vec<Plugin> {
        let deadline = behind(timeout);
        let mut names = self.names.lock();
        names.closing = true;
        self.changed.notify_all();
        let is_busy = |names: &mut Names| names.by_name.values().any(|entry| entry.doing.is_some());
        self.changed.wait_while(&mut names, is_busy, Some(deadline));
        let plugins = names.by_name.iter().filter_map(|(name, entry)| {
            entry.current.as_ref().map(|current| Plugin { name: name.clone(), load: current.load })
        });
        plugins.collect()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.names.lock().closing
    }
}

impl Reservation {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The generation that serves, if one does.
    pub(super) fn serving(&self) -> Option<Serving> {
        let names = self.names();
        let entry = names.by_name.get(&self.name)?;
        let current = entry.current.as_ref()?;
        Some(Serving {
            generation: entry.generation,
            load: current.load,
            owner: current.owner,
            lifecycle: current.lifecycle.clone(),
            version: current.version.clone(),
        })
    }

    /// The number that the next generation will have.
    pub(super) fn next_generation(&self) -> u64 {
        self.names().by_name.get(&self.name).map_or(0, |entry| entry.generation) + 1
    }

    /// How much the operator wants the plugin to tell, if he said so while it ran.
    pub(super) fn log(&self) -> Option<LogLevel> {
        self.names().by_name.get(&self.name)?.current.as_ref()?.log
    }

    /// What is said of the plugin beside the host's configuration.
    pub(super) fn wishes(&self) -> Wishes {
        let names = self.names();
        let current = names.by_name.get(&self.name).and_then(|entry| entry.current.as_ref());
        current.map(|current| current.wishes.clone()).unwrap_or_default()
    }

    /// A new generation serves from now on. Answers its number, and the trial of the one before, which
    /// does nothing any more: the caller drops it when there is time for freeing the copy it holds.
    pub(super) fn set(&self, current: Current) -> (u64, Option<OnTrial>) {
        let mut names = self.names();
        let entry = names.by_name.entry(self.name.clone()).or_default();
        entry.generation += 1;
        let generation = entry.generation;
        let before = entry.current.replace(current);
        drop(names);
        (generation, before.and_then(|before| before.trial))
    }

    /// Changes what is known of the generation that serves.
    pub(super) fn change(&self, change: impl FnOnce(&mut Current)) {
        if let Some(current) = self.names().by_name.get_mut(&self.name).and_then(|entry| entry.current.as_mut()) {
            change(current);
        }
        self.table.changed.notify_all();
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
            if entry.generation == 0 {
                names.by_name.remove(&self.name);
            }
        }
        self.table.changed.notify_all();
    }
}

impl Names {
    /// A host that is being dropped unloads what it finds; nothing may come behind that.
    fn check_open(&self) -> Result<(), ApiMisuse> {
        if self.closing { Err(ApiMisuse::Closing) } else { Ok(()) }
    }

    /// The entry of a loaded plugin that nothing is being done to.
    fn find(&mut self, plugin: &Plugin) -> Result<&mut Entry, ApiMisuse> {
        let name = &plugin.name;
        let busy = |doing| ApiMisuse::Busy { plugin: name.clone(), doing };
        let entry = self.by_name.get_mut(name).ok_or_else(|| ApiMisuse::NotLoaded(name.clone()))?;
        let is_it = entry.current.as_ref().is_some_and(|current| current.load == plugin.load);
        let ends = |former: &Former| former.load == plugin.load && former.ticket.end().is_none();
        match entry.doing() {
            Some(doing) if is_it => Err(busy(doing)),
            None if is_it => Ok(entry),
            _ if entry.former.iter().any(ends) => Err(busy("unloaded")),
            _ => Err(ApiMisuse::NotLoaded(name.clone())),
        }
    }
}

impl Entry {
    fn doing(&self) -> Option<&'static str> {
        self.doing.as_ref().map(|doing| doing.what)
    }
}

//! What a host knows of its plugins by name: the generation that serves, what is being done to it, whether it is on
//! probation, what went wrong with it, and the generations before it. All that is known of a plugin is here.

mod look;
mod memory;
mod probation;
mod probations;
mod reservation;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_dispatch::{Condvar, Owner, deadline_after};
use hookrail_loader::{Meter, PluginDiagnostics};
use hookrail_model::error::ApiMisuse;
use hookrail_model::instance::plugin_of;
use hookrail_model::log_level::LogLevel;
use hookrail_model::note::NoteHook;
use hookrail_model::schema::Schema;
use hookrail_model::view::Status;
use parking_lot::Mutex;

pub(super) use self::memory::Over;
pub(super) use self::probation::{ProbationEntry, RollbackPoint};
pub(super) use self::reservation::{Reservation, Serving};
use super::handle::Plugin;
use crate::config::RuntimeOverrides;
use crate::plugin::{Lifecycle, Loaded};
use crate::unload::Ticket;

/// How many former generations of a name are remembered.
const REMEMBERED: usize = 8;

/// The plugins of a host, by name. Its lock is never held while foreign code runs, nor while waiting
/// for anything but another holder.
#[derive(Default)]
pub struct Table {
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
    /// The probation of the generation that serves, and that of one that is about to.
    probations: Vec<ProbationEntry>,
    /// What went wrong with it.
    remark: Option<Remark>,
}

/// What went wrong with a plugin, until something else is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The host went back from a version of it by itself; what that means.
    GivenUp(String),
    /// It was to be loaded, and is not; why.
    NotLoaded(String),
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
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) status: Status,
    /// What the next generations begin with.
    pub(super) wishes: RuntimeOverrides,
    /// Whether it held more memory than it may when it was last looked at.
    pub(super) is_over: bool,
    pub(super) speaker: Arc<PluginDiagnostics>,
    /// How much the operator wants it to tell, since he said so while it ran.
    pub(super) log: Option<LogLevel>,
}

impl Current {
    /// A generation whose callbacks were just published; `log` is what the operator said while one before it ran.
    pub(super) fn new(
        load: Owner,
        owner: Owner,
        loaded: Loaded,
        wishes: RuntimeOverrides,
        log: Option<LogLevel>,
    ) -> Self {
        Current {
            load,
            owner,
            version: loaded.note().version.clone(),
            file: loaded.file().display().to_string(),
            instances: loaded.instances(),
            declared: loaded.note().hooks.clone(),
            schema: loaded.known_schema(),
            speaker: loaded.speaker().clone(),
            log,
            meter: loaded.meter(),
            lifecycle: Arc::new(Mutex::new(Some(loaded))),
            status: Status::Running,
            wishes,
            is_over: false,
        }
    }
}

/// A generation that was replaced or unloaded.
struct Former {
    load: Owner,
    generation: u64,
    version: String,
    ticket: Ticket,
}

impl Table {
    /// Takes out a plugin, to unload it: the generation that served, its number, and its probations, which are over
    /// when they are dropped: the caller does so when there is time for freeing the copies that they hold.
    pub(super) fn take(&self, plugin: &Plugin) -> Result<(Current, u64, Vec<ProbationEntry>), ApiMisuse> {
        let mut names = self.names.lock();
        let entry = names.find(plugin)?;
        let current = entry.current.take().ok_or_else(|| ApiMisuse::NotLoaded(plugin.name.clone()))?;
        Ok((current, entry.generation, std::mem::take(&mut entry.probations)))
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
    pub fn plugin(&self, name: &str) -> Option<Plugin> {
        let names = self.names.lock();
        let current = names.by_name.get(name)?.current.as_ref()?;
        Some(Plugin { name: name.into(), load: current.load })
    }

    /// The generation that serves, if it is still of that load.
    pub(super) fn successor(&self, name: &str, load: Owner) -> Option<Lifecycle> {
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
    pub fn set_log(&self, plugin: &Plugin, level: LogLevel) -> Result<(), ApiMisuse> {
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
    pub fn reloaded(&self, instance: &str, config: &serde_json::Value) {
        let mut names = self.names.lock();
        let Some(entry) = names.by_name.get_mut(plugin_of(instance)) else { return };
        let Some(current) = &mut entry.current else { return };
        current.wishes.configs.insert(instance.into(), config.clone());
        // It stays, also on the way back.
        for wishes in entry.probations.iter_mut().filter_map(|probation| probation.rollback_point.wishes.as_mut()) {
            wishes.configs.insert(instance.into(), config.clone());
        }
    }

    /// Waits until nothing is being done to a plugin; returns its status, if it is still loaded.
    pub(super) fn wait_idle(&self, plugin: &Plugin, timeout: Duration) -> Option<Status> {
        let deadline = deadline_after(timeout);
        let mut names = self.names.lock();
        let is_busy = |names: &mut Names| names.by_name.get(&plugin.name).is_some_and(|entry| entry.doing.is_some());
        self.changed.wait_while(&mut names, is_busy, Some(deadline));
        let current = names.by_name.get(&plugin.name)?.current.as_ref()?;
        (current.load == plugin.load).then_some(current.status)
    }

    /// Waits until nothing is being done to a plugin; refuses, where that takes longer.
    pub fn settle(&self, plugin: &Plugin, timeout: Duration) -> Result<(), ApiMisuse> {
        self.wait_idle(plugin, timeout);
        match self.names.lock().find(plugin) {
            Err(busy @ ApiMisuse::Busy { .. }) => Err(busy),
            _ => Ok(()),
        }
    }

    /// Nothing more is to be begun in the background. Waits until nothing is being done, and answers
    /// what is loaded.
    pub(super) fn close(&self, timeout: Duration) -> Vec<Plugin> {
        let deadline = deadline_after(timeout);
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

    /// Whether the host is being dropped.
    pub fn is_closing(&self) -> bool {
        self.names.lock().closing
    }

    /// Notes what went wrong with a plugin.
    pub fn remark(&self, name: &str, remark: Remark) {
        self.names.lock().by_name.entry(name.into()).or_default().remark = Some(remark);
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

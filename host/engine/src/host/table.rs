//! What a host knows of its plugins, by name: the serving generation, the operation in progress, its probation, what
//! went wrong with it, and its former generations. Nothing about a plugin is kept anywhere else.

mod checkup;
mod configs;
mod look;
mod memory;
mod probation;
mod probations;
mod reservation;
mod said;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hookrail_dispatch::{Condvar, Owner, TakenOut, deadline_after};
use hookrail_loader::{Meter, Numbers, PluginDiagnostics};
use hookrail_model::error::ApiMisuse;
use hookrail_model::instance::plugin_of;
use hookrail_model::isolation::Placed;
use hookrail_model::log_level::LogLevel;
use hookrail_model::note::{NoteEndpoint, NoteHook};
use hookrail_model::schema::Schema;
use hookrail_model::view::Status;
use parking_lot::Mutex;
use serde_json::Value;

pub(super) use self::checkup::Asked;
pub(super) use self::configs::Stated;
pub(super) use self::memory::Over;
pub(super) use self::probation::{ProbationEntry, RollbackPoint};
pub(super) use self::reservation::{Reservation, Serving};
use self::said::Asking;
pub(super) use self::said::Said;
use super::handle::PluginHandle;
use crate::body::WorkerStatus;
use crate::config::RuntimeOverrides;
use crate::endpoints::Endpoints;
use crate::keeping::{Keeper, Keeping};
use crate::plugin::{Lifecycle, Loaded};
use crate::ticket::Ticket;

/// How many former generations of a name are remembered.
const REMEMBERED: usize = 8;

/// The plugins of a host, by name. Its lock is never held while foreign code runs, nor while waiting for anything but
/// the lock itself.
#[derive(Default)]
pub struct Table {
    names: Mutex<Names>,
    /// Signalled when an operation has finished, or a status has changed.
    changed: Condvar,
    /// Keeps the configurations that plugins write themselves.
    pub(super) keeper: OnceLock<Box<dyn Keeper>>,
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
    /// The operation in progress, by the holder of the [`Reservation`].
    doing: Option<Doing>,
    former: VecDeque<Former>,
    /// The probation of the serving generation, and that of one that is about to serve.
    probations: Vec<ProbationEntry>,
    /// What went wrong with it.
    remark: Option<Remark>,
    /// How often the configuration of each instance was changed while it ran.
    revisions: BTreeMap<String, u64>,
    /// What a configuration file says of each instance by now, if it was read again: for all generations, also after an
    /// unload.
    of_file: BTreeMap<String, Value>,
}

/// What went wrong with a plugin, until the next operation on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The host has rolled back a version of it by itself; what that means.
    GivenUp(String),
    /// It should have been loaded but is not; why.
    NotLoaded(String),
}

/// An operation on a plugin in progress.
struct Doing {
    what: &'static str,
    since: Instant,
    /// Whether it has been reported as taking long.
    is_told: bool,
}

/// The generation that is serving.
pub(super) struct Current {
    /// The load it came from, which stays the same through upgrades: a [`PluginHandle`] refers to it.
    pub(super) load: Owner,
    pub(super) owner: Owner,
    pub(super) lifecycle: Lifecycle,
    pub(super) version: String,
    /// The file it was read from, for display.
    pub(super) file: String,
    pub(super) instances: Vec<String>,
    /// The hooks that its note declares.
    pub(super) declared: Vec<NoteHook>,
    /// The sources and sinks that its note declares.
    pub(super) declared_endpoints: Vec<NoteEndpoint>,
    /// The schema that its configurations were validated against.
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) meter: Option<Arc<Meter>>,
    pub(super) numbers: Option<Arc<Numbers>>,
    /// In which process it runs, and who decided that.
    pub(super) placed: Placed,
    /// The worker that it runs in, if it is not this process.
    pub(super) worker: Option<Arc<dyn WorkerStatus>>,
    pub(super) status: Status,
    /// Its sources and sinks, if it is started.
    pub(super) endpoints: Option<Arc<Endpoints>>,
    /// Its callbacks, while it is halted.
    pub(super) halted: Vec<TakenOut>,
    /// What its instances were given, since they were started last.
    pub(super) keeping: Option<Arc<Keeping>>,
    /// What it has said of its health.
    pub(super) said: Said,
    /// When it was asked for its health, until it has answered.
    pub(super) asked: Option<Asking>,
    /// The overrides that the next generations start with.
    pub(super) runtime_overrides: RuntimeOverrides,
    /// Whether it exceeded its memory limit at the last check.
    pub(super) is_over: bool,
    pub(super) diagnostics: Arc<PluginDiagnostics>,
    /// The log level, if the operator has set one while it ran.
    pub(super) log: Option<LogLevel>,
}

impl Current {
    /// A generation whose callbacks were just published; `log` is the level that the operator set while a previous one
    /// ran.
    pub(super) fn new(
        load: Owner,
        owner: Owner,
        loaded: Loaded,
        runtime_overrides: RuntimeOverrides,
        log: Option<LogLevel>,
    ) -> Self {
        Current {
            load,
            owner,
            version: loaded.note().version.clone(),
            file: loaded.file().display().to_string(),
            instances: loaded.instances(),
            declared: loaded.note().hooks.clone(),
            declared_endpoints: loaded.note().endpoints.clone(),
            schema: loaded.known_schema(),
            diagnostics: loaded.diagnostics().clone(),
            log,
            meter: loaded.meter(),
            numbers: loaded.numbers(),
            placed: loaded.placed().clone(),
            worker: loaded.worker(),
            endpoints: loaded.endpoints(),
            keeping: loaded.keeping(),
            lifecycle: Arc::new(Mutex::new(Some(loaded))),
            status: Status::Running,
            halted: Vec::new(),
            said: Said::default(),
            asked: None,
            runtime_overrides,
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
    /// Remembers a generation that is ending.
    pub(super) fn remember(&self, generation: u64, load: Owner, version: String, ticket: Ticket) {
        let mut names = self.names.lock();
        let entry = names.by_name.entry(ticket.plugin().into()).or_default();
        entry.former.push_back(Former { load, generation, version, ticket });
        if entry.former.len() > REMEMBERED {
            entry.former.pop_front();
        }
    }

    /// The loaded plugin with that name.
    pub fn plugin(&self, name: &str) -> Option<PluginHandle> {
        let names = self.names.lock();
        let current = names.by_name.get(name)?.current.as_ref()?;
        Some(PluginHandle { name: name.into(), load: current.load })
    }

    /// The sources and sinks of all plugins that run.
    pub(super) fn endpoints(&self) -> Vec<Arc<Endpoints>> {
        let names = self.names.lock();
        let running = names.by_name.values().filter_map(|entry| entry.current.as_ref());
        running
            .filter(|current| current.status == Status::Running)
            .filter_map(|current| current.endpoints.clone())
            .collect()
    }

    /// The serving generation, if it is still of that load.
    pub(super) fn successor(&self, name: &str, load: Owner) -> Option<Lifecycle> {
        let names = self.names.lock();
        let current = names.by_name.get(name)?.current.as_ref()?;
        (current.load == load).then(|| current.lifecycle.clone())
    }

    /// The plugin of a running instance, for a reload; refused while another operation on it is in progress.
    pub(super) fn running(&self, instance: &str) -> Result<(Owner, Lifecycle), ApiMisuse> {
        let name = plugin_of(instance);
        let names = self.names.lock();
        let not_loaded = || ApiMisuse::NotLoaded(instance.into());
        let entry = names.by_name.get(name).ok_or_else(not_loaded)?;
        let current = entry.current.as_ref().ok_or_else(not_loaded)?;
        match (entry.doing(), current.status) {
            (Some(doing), _) => Err(ApiMisuse::busy(name, doing)),
            (None, Status::Halted | Status::Running) => Ok((current.owner, current.lifecycle.clone())),
            (None, status) => Err(ApiMisuse::status(name, status.name())),
        }
    }

    /// Sets how much a plugin logs, and so its next generations, until it is unloaded.
    ///
    /// # Errors
    /// If the plugin is not loaded.
    pub fn set_log_level(&self, plugin: &PluginHandle, level: LogLevel) -> Result<(), ApiMisuse> {
        let diagnostics = {
            let mut names = self.names.lock();
            let current = names.find(plugin)?.current.as_mut();
            let current = current.ok_or_else(|| ApiMisuse::NotLoaded(plugin.name.clone()))?;
            current.log = Some(level);
            current.diagnostics.clone()
        };
        // Without the lock, since it calls the plugin.
        diagnostics.set_level(level);
        Ok(())
    }

    /// Records who decided that a plugin runs where it runs: the next generations stay there.
    pub fn placed(&self, plugin: &str, placed: &Placed) {
        let mut names = self.names.lock();
        let Some(entry) = names.by_name.get_mut(plugin) else { return };
        let Some(current) = &mut entry.current else { return };
        current.placed = placed.clone();
        current.runtime_overrides.isolation = Some(placed.clone());
    }

    /// Waits until no operation on a plugin is in progress.
    ///
    /// # Errors
    /// If an operation still runs after `timeout`.
    pub fn settle(&self, plugin: &PluginHandle, timeout: Duration) -> Result<(), ApiMisuse> {
        let deadline = deadline_after(timeout);
        let mut names = self.names.lock();
        let is_busy = |names: &mut Names| names.by_name.get(&plugin.name).is_some_and(|entry| entry.doing.is_some());
        self.changed.wait_while(&mut names, is_busy, Some(deadline));
        match names.find(plugin) {
            Err(busy @ ApiMisuse::Busy { .. }) => Err(busy),
            _ => Ok(()),
        }
    }

    /// Prevents new background operations, waits until none is in progress, and returns the loaded plugins.
    pub(super) fn close(&self, timeout: Duration) -> Vec<PluginHandle> {
        let deadline = deadline_after(timeout);
        let mut names = self.names.lock();
        names.closing = true;
        self.changed.notify_all();
        let is_busy = |names: &mut Names| names.by_name.values().any(|entry| entry.doing.is_some());
        self.changed.wait_while(&mut names, is_busy, Some(deadline));
        let plugins = names.by_name.iter().filter_map(|(name, entry)| {
            entry.current.as_ref().map(|current| PluginHandle { name: name.clone(), load: current.load })
        });
        plugins.collect()
    }

    /// Whether the host is being dropped.
    pub fn is_closing(&self) -> bool {
        self.names.lock().closing
    }

    /// Records what went wrong with a plugin.
    pub fn remark(&self, name: &str, remark: Remark) {
        self.names.lock().by_name.entry(name.into()).or_default().remark = Some(remark);
    }
}

impl Names {
    /// A host that is being dropped unloads the plugins it finds; none may be added after that.
    fn check_open(&self) -> Result<(), ApiMisuse> {
        if self.closing { Err(ApiMisuse::Closing) } else { Ok(()) }
    }

    /// The entry of a loaded plugin on which no operation is in progress.
    fn find(&mut self, plugin: &PluginHandle) -> Result<&mut Entry, ApiMisuse> {
        let name = &plugin.name;
        let busy = |doing| ApiMisuse::busy(name.clone(), doing);
        let entry = self.by_name.get_mut(name).ok_or_else(|| ApiMisuse::NotLoaded(name.clone()))?;
        let is_it = entry.current.as_ref().is_some_and(|current| current.load == plugin.load);
        let ends = |former: &Former| former.load == plugin.load && former.ticket.try_wait().is_none();
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

//! The internals of a host. `Host` owns them; background work holds them weakly.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hookrail_abi as abi;
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_dispatch::{Owner, Registry, TakenOut, reclaim, view};
use hookrail_image::SealedCopy;
use hookrail_loader::Closed;
use hookrail_model::error::Error;
use hookrail_model::event::EventKind;
use hookrail_model::log;
use hookrail_model::view::PluginView;
use once_cell::sync::OnceCell;

use super::handle::PluginHandle;
use super::table::{Current, Table};
use crate::admission::layout;
use crate::builtin;
use crate::config::{Config, RuntimeOverrides};
use crate::endpoints::{Attendant, Attending};
use crate::event::{Announcer, Events};
use crate::health;
use crate::keeping::{Keeper, Keeping};
use crate::plugin::{Loaded, StartContext, States};
use crate::service;
use crate::ticket::Ticket;
use crate::unload::{Before, Ready, Reaper, Then, Unpublished};

/// The internals of a host, for the crates of the host itself.
pub struct Core {
    /// The configuration it was created with.
    pub config: Config,
    /// Its points and their chains.
    pub registry: Arc<Registry>,
    /// Its plugins.
    pub table: Arc<Table>,
    pub(super) events: Arc<Announcer>,
    /// Tells it from the other hosts of this process.
    pub(super) number: u64,
    owners: AtomicU64,
    reaper: Reaper,
    pub(super) watchdog: OnceCell<()>,
    /// When it was created.
    pub began: Instant,
    fallback: OnceLock<Box<Follow>>,
    /// What runs the endpoints of its plugins.
    pub(super) attending: Attending,
}

/// Reported when the host has rolled back to the previous build by itself.
pub struct Fallback<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// The version that was rolled back.
    pub from: &'a str,
    /// The version that serves again.
    pub to: &'a str,
    /// Why it was rolled back.
    pub reason: &'a str,
}

type Follow = dyn Fn(&Arc<Core>, &Fallback<'_>) + Send + Sync;

impl Core {
    pub(super) fn new(config: Config) -> Result<Arc<Self>, Error> {
        config.check()?;
        if !layout::install_globals() {
            log!(
                warn,
                "abi_stable was used before the host started: checks by other code of this program may read unloaded memory"
            );
        }
        let registry = Arc::new(Registry::new(config.points.clone(), config.fault_policies, config.quarantine.clone()));
        registry.declare::<MessagePublish>()?;
        registry.declare::<MessageDelivered>()?;
        registry.declare::<MessageDropped>()?;
        service::offer();
        service::sweep(&config.home_dir());
        // Reports of the program's own callbacks take the same way as those of plugins.
        // SAFETY: the table lives as long as the process.
        unsafe { abi::host::attach(&service::TABLE) };
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let core = Core {
            registry,
            // Relaxed: only distinctness matters.
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            table: Arc::default(),
            events: Arc::default(),
            owners: AtomicU64::new(0),
            reaper: Reaper::default(),
            watchdog: OnceCell::new(),
            began: Instant::now(),
            fallback: OnceLock::new(),
            attending: Attending::default(),
            config,
        };
        core.registry.register(builtin::callbacks(core.config.message.clone()), core.next_owner())?;
        Ok(Arc::new(core))
    }

    /// Registers the one observer that is told when the host has rolled back by itself; it keeps the record of what
    /// serves. Returns whether this observer was registered: `false` if there is one already.
    pub fn follow_fallbacks(&self, follow: impl Fn(&Arc<Core>, &Fallback<'_>) + Send + Sync + 'static) -> bool {
        self.fallback.set(Box::new(follow)).is_ok()
    }

    pub(super) fn fell_back(self: &Arc<Self>, fallback: &Fallback<'_>) {
        if let Some(follow) = self.fallback.get() {
            follow(self, fallback);
        }
    }

    /// Loads a plugin from a copy of its library, with these overrides.
    ///
    /// # Safety
    /// The caller trusts the library as this program: its code runs in this process.
    pub unsafe fn load(&self, copy: SealedCopy, runtime_overrides: RuntimeOverrides) -> Result<PluginHandle, Error> {
        // SAFETY: the caller trusts the library as this program.
        let mut loaded = unsafe { Loaded::open(copy, &self.config, self.number, runtime_overrides.isolation.clone())? };
        let name = loaded.note().name.clone();
        let reservation = match self.table.reserve_new(&name) {
            Ok(reservation) => reservation,
            Err(error) => {
                loaded.abandon();
                return Err(error.into());
            }
        };
        // The watchdog also watches what takes too long, and starting may.
        let asks = !self.config.health.every.is_zero();
        if asks || !self.config.limits.stuck.is_zero() || self.config.limits_memory() {
            self.registry.signals.start();
        }
        let owner = self.next_owner();
        let keeping = self.keeping(&name, owner, reservation.next_generation());
        loaded.diagnostics().begin(reservation.next_generation(), self.config.log(&name));
        let context = StartContext {
            config: &self.config,
            registry: &self.registry,
            owner,
            probation: None,
            runtime_overrides: &runtime_overrides,
            of_file: &reservation.of_file(),
            states: &States::new(),
            schema: None,
            keeping: keeping.clone(),
            attending: &self.attending,
        };
        let added = loaded.start(&context).and_then(|additions| Ok(self.registry.begin(&name, additions)?));
        if let Err(error) = added {
            loaded.abandon();
            return Err(error);
        }
        log!(debug, plugin = name, "loaded");
        let (version, endpoints) = (loaded.note().version.clone(), loaded.endpoints());
        let (generation, _) = reservation.set(Current::new(owner, owner, loaded, runtime_overrides, None));
        self.events.tell(&name, generation, EventKind::loaded(version));
        endpoints.iter().for_each(|endpoints| self.attending.serving(endpoints));
        keeping.serve();
        Ok(PluginHandle { name, load: owner })
    }

    /// Removes the plugin from the table and its callbacks from their points. Waiting on the ticket ends with the proof
    /// that the library is unmapped, or with the reason why it stays.
    ///
    /// # Errors
    /// If it is not loaded, something else is being done to it, or the system starts no thread for it.
    pub fn begin_unload(&self, plugin: &PluginHandle) -> Result<Ticket, Error> {
        let reaper = self.reaper()?;
        // Dropped last: the callbacks leave their points before the copies of former files are freed.
        let (current, generation, _past, name) = self.table.take(plugin)?;
        let Current { load, owner, lifecycle, version, halted, endpoints, .. } = current;
        let mut callbacks = self.registry.leave(owner);
        callbacks.extend(halted.into_iter().map(TakenOut::into_callback));
        drop(name);
        self.events.tell(&plugin.name, generation, EventKind::Unloading);
        endpoints.iter().for_each(|endpoints| self.attending.leaving(endpoints));
        let unpublished = Unpublished { plugin: plugin.name.clone(), lifecycle, owner, callbacks, endpoints };
        let then = self.ending(&plugin.name, generation, None);
        let ticket = self.follow(&reaper, unpublished, then);
        self.table.remember(generation, load, version, ticket.clone());
        Ok(ticket)
    }

    /// The loaded plugins, by name.
    pub fn loaded(&self) -> Vec<PluginView> {
        let points = view::points(&self.registry);
        let mut plugins = self.table.views();
        plugins.iter_mut().for_each(|plugin| health::examine(plugin, &points));
        plugins
    }

    /// Subscribes to what happens to plugins from now on.
    pub fn events(&self) -> Events {
        self.events.subscribe()
    }

    /// A loaded plugin, by name.
    pub fn view(&self, name: &str) -> Option<PluginView> {
        let mut loaded = self.table.view(name)?;
        health::examine(&mut loaded, &view::points(&self.registry));
        Some(loaded)
    }

    /// What work that follows an unpublishing is handed to; asked for before it.
    pub(super) fn reaper(&self) -> Result<Ready<'_>, Error> {
        self.reaper.ready()
    }

    /// Hands the work that follows an unpublishing to the reaper.
    pub(super) fn follow(&self, reaper: &Ready<'_>, unpublished: Unpublished, then: Then) -> Ticket {
        reaper.follow(unpublished, self.registry.clone(), self.config.unload.deadline, then)
    }

    /// The end of a generation, and the event that reports it.
    pub(super) fn ending(&self, plugin: &str, generation: u64, before: Option<Before>) -> Then {
        let (events, plugin) = (self.events.clone(), plugin.to_owned());
        let after = Box::new(move |closed: &Closed| {
            let (end, unfreed_memory) = (closed.end.clone(), closed.unfreed_memory);
            events.tell(&plugin, generation, EventKind::ended(end, unfreed_memory));
        });
        Then::End { before, after }
    }

    /// Registers the one keeper of the configurations that plugins write themselves. Returns whether this is it:
    /// `false` if there is one already.
    pub fn keep_configurations(&self, keeper: impl Keeper + 'static) -> bool {
        self.table.keeper.set(Box::new(keeper)).is_ok()
    }

    /// Has this run the endpoints of all plugins from now on, those that are loaded too. Returns false, and changes nothing,
    /// if something runs them already.
    ///
    /// # Errors
    /// If it refuses those of a plugin that is loaded.
    pub fn attend(&self, attendant: &Arc<dyn Attendant>) -> Result<bool, Error> {
        let serving = self.table.endpoints();
        serving.iter().try_for_each(|endpoints| attendant.coming(endpoints))?;
        if !self.attending.begin(attendant.clone()) {
            return Ok(false);
        }
        serving.iter().for_each(|endpoints| attendant.serving(endpoints));
        Ok(true)
    }

    /// What keeps the configurations that the instances of a generation write.
    pub(super) fn keeping(&self, plugin: &str, owner: Owner, generation: u64) -> Arc<Keeping> {
        Keeping::new(plugin, (owner, generation), Arc::downgrade(&self.table) as _, self.events.clone())
    }

    /// How long a call waits for readers: twice the deadline, since after the first one it no longer waits for readers
    /// elsewhere.
    pub fn wait_timeout(&self) -> Duration {
        self.config.unload.deadline.saturating_mul(2)
    }

    pub(super) fn next_owner(&self) -> Owner {
        // Relaxed: only distinctness matters.
        Owner(self.owners.fetch_add(1, Ordering::Relaxed))
    }

    /// Unloads all plugins.
    pub(super) fn close(&self) {
        // Within a callback, an operation in progress may be waiting for its caller.
        let timeout = if reclaim::is_inside() { Duration::ZERO } else { self.wait_timeout() };
        let plugins = self.table.close(timeout);
        let begin = |plugin: &PluginHandle| {
            self.begin_unload(plugin)
                .map_err(|error| log!(error, plugin = plugin.name, "it stays loaded: {error}"))
                .ok()
        };
        let tickets: Vec<_> = plugins.iter().filter_map(begin).collect();
        for ticket in tickets {
            let end = ticket.wait_timeout(self.wait_timeout());
            if !end.is_unmapped() {
                log!(debug, plugin = ticket.plugin(), "{end}");
            }
        }
        self.registry.signals.end();
        // Points may outlive their host, and so may what waits for events and traces.
        self.registry.clear();
        self.registry.end_traces();
        self.events.end();
    }
}

//! The host: what an embedder holds.

mod checkup;
mod core;
mod denial;
mod handle;
mod introspection;
mod moving;
mod overriding;
mod recall;
mod reloading;
mod rollback;
mod status;
mod table;
mod upgrade;
mod watchdog;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hookrail_abi::Point;
use hookrail_dispatch::{Callbacks, HookPoint, Outcome, PinnedChains, Registered, names, view};
use hookrail_image::SealedCopy;
use hookrail_model::config::CallbackOverride;
use hookrail_model::end::End;
use hookrail_model::error::Error;
use hookrail_model::instance::plugin_of;
use hookrail_model::isolation::{Isolation, Placed, PlacedBy};
use hookrail_model::log_level::LogLevel;
use hookrail_model::stats::StatsLevel;
use hookrail_model::trace::TraceFilter;
use hookrail_model::view::{GenerationView, PluginView, PointView, Status};

pub use self::core::{Core, Fallback};
pub use self::denial::Denial;
pub use self::handle::PluginHandle;
pub use self::introspection::Traces;
pub use self::reloading::Former;
pub use self::table::Remark;
pub use self::upgrade::Upgraded;
use crate::config::{Config, RuntimeOverrides};
use crate::event::Events;
use crate::ticket::Ticket;

/// A host of plugins. Dropping it unloads its plugins.
///
/// All methods take `&self` and may be called from any thread, including from within callbacks. The child of a fork may
/// dispatch. It may register and unregister callbacks only if no other thread was doing so at the time of the fork,
/// since such a thread's locks are never released in the child. Only the process that loaded a plugin may unload it.
pub struct Host {
    core: Arc<Core>,
}

impl Host {
    /// Creates a host with the built-in points and the built-in callback on `message.publish`.
    ///
    /// # Errors
    /// If the configuration contradicts itself.
    pub fn new(config: Config) -> Result<Self, Error> {
        let core = Core::new(config)?;
        let weak = Arc::downgrade(&core);
        core.registry.signals.start_with(move || watchdog::start(&weak));
        Ok(Host { core })
    }

    /// Says what this program is called in the catalogue of points, where it is known which of them that dispatches.
    #[doc(hidden)]
    pub fn is_program(&self, name: &'static str) {
        // The first name stays.
        let _ = self.core.registry.program.set(name);
    }

    /// Loads a plugin: copies and checks its file, opens it, starts its configured instances, and registers all their
    /// callbacks in one transaction. On failure nothing is left behind.
    ///
    /// # Errors
    /// If the file is not a plugin that this host can load, a plugin of its name is already loaded, its configuration
    /// is refused, or it fails to start.
    ///
    /// # Safety
    /// The caller trusts the library as this program: its code runs in this process with all its rights. The checks
    /// find mistakes; they do not contain malice, and they cannot see what the code does with memory.
    pub unsafe fn load(&self, file: impl AsRef<Path>) -> Result<PluginHandle, Error> {
        // SAFETY: the caller trusts the library as this program.
        unsafe { self.core.load(SealedCopy::of(file.as_ref())?, RuntimeOverrides::default()) }
    }

    /// Replaces a running plugin with a new build of it, while traffic flows.
    ///
    /// The new library is opened beside the old one and checked. Its instances are created, and started with what the
    /// old ones save. Then one transaction swaps the callbacks of all instances. The old generation ends in the
    /// background, when no thread is in its code any more; before it is stopped it hands over what changed since it
    /// saved. On failure before the swap, nothing of the new generation is left, and the old one continues unchanged. A
    /// new generation that fails too often too soon is rolled back:
    /// [`UpgradeLimits`](hookrail_model::config::UpgradeLimits).
    ///
    /// Does not wait for readers, so it may be called from within a callback. But `save` runs while callbacks do, so
    /// beware of a lock in the plugin that both take.
    ///
    /// # Errors
    /// If the plugin is not running or is busy, the file is not a build of it that this host can load, its state cannot
    /// be handed over, or the new instances fail to start.
    ///
    /// # Safety
    /// The caller trusts the new library as this program, as for [`load`](Host::load).
    pub unsafe fn upgrade(&self, plugin: &PluginHandle, file: impl AsRef<Path>) -> Result<Upgraded, Error> {
        // SAFETY: the caller trusts the new library as this program.
        unsafe { self.core.upgrade(plugin, SealedCopy::of(file.as_ref())?, false, None) }
    }

    /// As [`upgrade`](Host::upgrade), but hands over no state: for a new build that does not accept the old build's
    /// state.
    ///
    /// # Errors
    /// As for [`upgrade`](Host::upgrade).
    ///
    /// # Safety
    /// The caller trusts the new library as this program, as for [`load`](Host::load).
    pub unsafe fn upgrade_fresh(&self, plugin: &PluginHandle, file: impl AsRef<Path>) -> Result<Upgraded, Error> {
        // SAFETY: the caller trusts the new library as this program.
        unsafe { self.core.upgrade(plugin, SealedCopy::of(file.as_ref())?, true, None) }
    }

    /// Moves a running plugin to another process while traffic flows, with its state: an upgrade to the same build. It
    /// stays there through upgrades, until it is unloaded.
    ///
    /// # Errors
    /// If the plugin is not running or is busy, it cannot run there, or its state cannot be handed over; then it stays
    /// where it is.
    ///
    /// # Safety
    /// If it is moved into this process, the caller trusts the library as this program, as for [`load`](Host::load).
    pub unsafe fn move_to(&self, plugin: &PluginHandle, isolation: Isolation) -> Result<Upgraded, Error> {
        // SAFETY: the caller trusts the library as this program, if it is moved here.
        unsafe { self.core.move_to(plugin, Placed::new(isolation, PlacedBy::Command)) }
    }

    /// Stops a running plugin and waits until it is stopped: removes its callbacks from their chains, waits until no
    /// thread is in them, then stops and drops its instances. Its library stays loaded, for [`start`](Host::start).
    ///
    /// If that exceeds the configured deadline, as with [`unload`](Host::unload), it returns [`Status::Stopping`] and
    /// continues in the background; from within a callback it does so at once. Until it has finished, nothing else can
    /// be done to the plugin.
    ///
    /// # Errors
    /// If the plugin is not running, or is busy.
    pub fn stop(&self, plugin: &PluginHandle) -> Result<Status, Error> {
        self.core.stop(plugin)
    }

    /// As [`stop`](Host::stop), but does not wait: see [`begin_unload`](Host::begin_unload).
    ///
    /// # Errors
    /// If the plugin is not running, or is busy.
    pub fn begin_stop(&self, plugin: &PluginHandle) -> Result<Ticket<Status>, Error> {
        self.core.begin_stop(plugin)
    }

    /// Halts a running plugin: has its instances pause what they do by themselves, and takes their callbacks out of their
    /// chains. The instances stay, with their state, for [`resume`](Host::resume). Does not wait: a dispatch that is
    /// already running may still call it.
    ///
    /// # Errors
    /// If the plugin is not running, is busy, or refuses; then nothing has changed.
    pub fn halt(&self, plugin: &PluginHandle) -> Result<(), Error> {
        self.core.halt(plugin)
    }

    /// Resumes a halted plugin: has its instances continue, and puts their callbacks back into their chains.
    ///
    /// # Errors
    /// If the plugin is not halted, is busy, or cannot continue; then it stays halted.
    pub fn resume(&self, plugin: &PluginHandle) -> Result<(), Error> {
        self.core.resume(plugin)
    }

    /// Starts a stopped plugin: creates and starts its configured instances again, and registers all their callbacks in
    /// one transaction. On failure it stays stopped.
    ///
    /// # Errors
    /// If the plugin is not stopped, is busy, or fails to start.
    pub fn start(&self, plugin: &PluginHandle) -> Result<(), Error> {
        self.core.start(plugin)
    }

    /// Unloads a plugin and waits for the end: removes its callbacks from their chains, waits until no thread is in
    /// them, stops and drops its instances, closes the library, and returns how that ended.
    ///
    /// Past the configured deadline it returns [`End::Busy`] and continues in the background; from within a callback it
    /// does so at once, since it would wait for its own caller.
    ///
    /// # Errors
    /// If the plugin is not loaded, or is busy.
    pub fn unload(&self, plugin: &PluginHandle) -> Result<End, Error> {
        Ok(self.begin_unload(plugin)?.wait_timeout(self.core.wait_timeout()))
    }

    /// As [`unload`](Host::unload), but does not wait: the plugin's callbacks are out of their chains when it returns,
    /// and the rest is left to the background.
    ///
    /// The two are separate since most programs have a thread to wait on, and the configured deadline is the right
    /// limit for them: `println!("{}", host.unload(&plugin)?)`. A task must not block, so it awaits the ticket:
    /// `println!("{}", host.begin_unload(&plugin)?.await)`. A ticket that was returned for both would be forgotten by
    /// those who believe that the plugin is gone.
    ///
    /// # Errors
    /// If the plugin is not loaded, or is busy.
    pub fn begin_unload(&self, plugin: &PluginHandle) -> Result<Ticket, Error> {
        self.core.begin_unload(plugin)
    }

    /// Hands a new configuration to a running instance (`mask`, `mask:logs`). It is validated against the plugin's
    /// schema, then accepted or refused by the plugin. If it is refused, the old one stays.
    ///
    /// # Errors
    /// If the instance is not running, cannot reload, or refuses the configuration.
    pub fn reload(&self, instance: &str, config: &serde_json::Value) -> Result<(), Error> {
        self.core.reload(instance, config)
    }

    /// As [`reload`](Self::reload), with what a configuration file says.
    ///
    /// # Errors
    /// As for that, and if a file of a secret cannot be read.
    #[doc(hidden)]
    pub fn reload_of_file(&self, instance: &str, config: &serde_json::Value) -> Result<Former, Error> {
        self.core.reload_of_file(instance, config)
    }

    /// The configuration of a loaded instance: that of [`Config`], until [`reload`](Host::reload) or the plugin itself
    /// changes it. The event [`ConfigWritten`](hookrail_model::event::EventKind::ConfigWritten) tells of the latter;
    /// without a store it is held until the plugin is unloaded, and keeping it longer is up to the program.
    ///
    /// # Errors
    /// If no such instance is loaded.
    pub fn configuration(&self, instance: &str) -> Result<serde_json::Value, Error> {
        let changed = self.core.table.configuration(instance)?;
        let given = || self.core.config.instances(plugin_of(instance)).into_iter().find(|(name, _)| name == instance);
        Ok(changed.or_else(|| Some(given()?.1)).unwrap_or_default())
    }

    /// Sets how much a plugin logs by `tracing` and `log` from now on, through upgrades and rollbacks, until it is
    /// unloaded.
    ///
    /// # Errors
    /// If the plugin is not loaded.
    pub fn set_log_level(&self, plugin: &PluginHandle, level: LogLevel) -> Result<(), Error> {
        Ok(self.core.table.set_log_level(plugin, level)?)
    }

    /// The loaded plugin with that name.
    pub fn plugin(&self, name: &str) -> Option<PluginHandle> {
        self.core.table.plugin(name)
    }

    /// The loaded plugins, by name.
    pub fn plugin_views(&self) -> Vec<PluginView> {
        self.core.loaded()
    }

    /// The generations of that name that were replaced or unloaded, at most the last eight, oldest first. A plugin of
    /// that name need not be loaded now.
    pub fn history(&self, name: &str) -> Vec<GenerationView> {
        self.core.table.history(name)
    }

    /// Subscribes to what happens to plugins from now on, until the host has been dropped.
    pub fn events(&self) -> Events {
        self.core.events()
    }

    /// A point to dispatch on. The first use of an embedder's own point declares it, which must happen before plugins
    /// that hook it are loaded.
    ///
    /// # Errors
    /// If a different point with this name is already declared.
    pub fn point<P: Point>(&self, point: P) -> Result<HookPoint<P>, Error> {
        Ok(self.core.registry.hook_point(point)?)
    }

    /// Calls `read` with all chains as they are now: a plugin that is loaded or unloaded meanwhile is either in all of
    /// them or in none. Nothing that was published is freed until `read` returns, so keep it short; unloading waits for
    /// it.
    pub fn pin<R>(&self, read: impl FnOnce(&PinnedChains<'_>) -> R) -> R {
        self.core.registry.pinned(read)
    }

    /// Every point with its chain, by name.
    pub fn point_views(&self) -> Vec<PointView> {
        view::points(&self.core.registry)
    }

    /// Registers callbacks of the embedding program: all of them, or none. The operator's overrides apply to plugins
    /// only; the program may read its own configuration.
    ///
    /// # Errors
    /// If a name cannot be part of `instance/callback`, a point does not exist or does not fit, or a callback of the same
    /// name is already registered there.
    pub fn register(&self, callbacks: Callbacks) -> Result<Registered, Error> {
        Ok(self.core.registry.register(callbacks, self.core.next_owner())?)
    }

    /// Removes callbacks from their chains. Cannot fail, and does not wait. Dispatches that are already running may
    /// still call the callbacks; in that case they are dropped by the first change of a chain after those dispatches
    /// have ended.
    pub fn unregister(&self, registered: Registered) {
        self.core.registry.unregister(registered);
    }

    /// Sets how much is recorded about the dispatches of a point from now on. Takes effect between two dispatches: none
    /// is lost, and no decision changes.
    ///
    /// # Errors
    /// If there is no such point.
    pub fn set_level(&self, point: &str, level: StatsLevel) -> Result<(), Error> {
        self.core.set_level(point, level)
    }

    /// Traces the next dispatches of a point that match the filter, at most `count` of them. Each dispatch of the
    /// point costs microseconds until the returned [`Traces`] is dropped.
    ///
    /// # Errors
    /// If there is no such point.
    pub fn trace(&self, point: &str, filter: Option<TraceFilter>, count: usize) -> Result<Traces, Error> {
        Core::trace(&self.core, point, filter, count)
    }

    /// Has a quarantined callback (`instance/callback`) called again, without waiting for its trial.
    ///
    /// # Errors
    /// If there is no such point or callback, or it is not quarantined.
    pub fn unquarantine(&self, point: &str, callback: &str) -> Result<(), Error> {
        self.core.unquarantine(point, callback)
    }

    /// Who denied the dispatch, and why: [`Denial::of`].
    pub fn denial(&self, outcome: &Outcome) -> Option<Denial> {
        Denial::of(outcome)
    }

    /// The callback that decided, as `instance/callback`, if one did.
    pub fn decided_by(&self, outcome: &Outcome) -> Option<String> {
        Some(names::name(outcome.decided_by()?).to_string())
    }

    /// The operator's overrides that match no registered callback: misspelt, or their plugin is
    /// not loaded.
    pub fn unused_overrides(&self) -> Vec<&CallbackOverride> {
        let mut unused: Vec<_> = self.core.config.overrides.iter().collect();
        self.core.registry.each(|look| {
            unused.retain(|hook| {
                let is_it =
                    |(instance, name)| look.callbacks.iter().any(|it| (&*it.instance, &*it.name) == (instance, name));
                hook.point != look.state.chain.facts.point || !hook.callback.split_once('/').is_some_and(is_it)
            });
        });
        unused
    }

    /// The points in the operator's configuration that are not declared: either misspelt, or declared later.
    pub fn unused_points(&self) -> Vec<&str> {
        let mut unused: Vec<_> = self.core.config.points.keys().map(String::as_str).collect();
        unused.retain(|point| self.core.registry.point(point).is_none());
        unused
    }

    /// The host's internals, for the crates of the host itself that stand above this one.
    #[doc(hidden)]
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The configuration that the host was created with.
    pub fn config(&self) -> &Config {
        &self.core.config
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.core.close();
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("plugins", &self.plugin_views()).finish_non_exhaustive()
    }
}

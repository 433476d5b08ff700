//! The host: what an embedder holds.

mod core;
mod denial;
mod handle;
mod introspection;
mod recall;
mod rollback;
mod status;
mod table;
mod upgrade;
mod watchdog;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hookrail_abi::{Decision, Point};
use hookrail_dispatch::{Callbacks, HookPoint, Outcome, Pin, Registered, frame, view};
use hookrail_image::SealedCopy;
use hookrail_model::config::CallbackOverride;
use hookrail_model::end::End;
use hookrail_model::error::Error;
use hookrail_model::log_level::LogLevel;
use hookrail_model::stats::Level;
use hookrail_model::trace::Condition;
use hookrail_model::view::{GenerationView, PluginView, PointView, Status};

pub use self::core::{Core, Fallback};
pub use self::denial::Denial;
pub use self::handle::Plugin;
pub use self::introspection::Traces;
pub use self::table::Remark;
pub use self::upgrade::Upgraded;
use crate::config::{Config, RuntimeOverrides};
use crate::event::Events;
use crate::unload::Ticket;

/// A host of plugins. When it is dropped its plugins are unloaded.
///
/// All methods take `&self` and may be called from any thread, from within callbacks too. The child
/// of a fork may dispatch, and register and unregister where no other thread did so when it was made, since
/// that thread's locks are never let go of there; unloading is for the process that loaded.
pub struct Host {
    core: Arc<Core>,
}

impl Host {
    /// A host with the built-in points and the built-in callback on `message.publish`.
    pub fn new(config: Config) -> Result<Self, Error> {
        let core = Core::new(config)?;
        let weak = Arc::downgrade(&core);
        core.registry.findings.start_with(move || watchdog::start(&weak));
        Ok(Host { core })
    }

    /// Loads a plugin: copies and checks its file, opens it, starts its configured instances, and
    /// registers all their callbacks in one transaction. When anything fails nothing is left.
    ///
    /// # Safety
    /// The library's code runs in this process with all its rights. The checks find mistakes; they
    /// do not contain malice, and they cannot see what the code does with memory.
    pub unsafe fn load(&self, file: impl AsRef<Path>) -> Result<Plugin, Error> {
        // SAFETY: the caller's contract.
        unsafe { self.core.load(SealedCopy::of(file.as_ref())?, RuntimeOverrides::default()) }
    }

    /// Replaces a running plugin by a new build of it, while traffic flows.
    ///
    /// The new library is opened beside the old one, checked, its instances are created, and started
    /// with what those of the old one save. Then one transaction swaps the callbacks of all
    /// instances. The old generation ends in the background, when nobody is in its code any more:
    /// before it is stopped it hands over what changed since it saved. When anything fails before
    /// the swap, nothing of the new one is left, and the old one goes on as if nothing had been
    /// asked. A new generation that fails too often too soon is rolled back:
    /// [`UpgradeLimits`](hookrail_model::config::UpgradeLimits).
    ///
    /// Waits for no readers, so it may be called from within a callback; but `save` runs while
    /// callbacks do, and a plugin may have a lock that both take.
    ///
    /// # Safety
    /// As for [`load`](Host::load).
    pub unsafe fn upgrade(&self, plugin: &Plugin, file: impl AsRef<Path>) -> Result<Upgraded, Error> {
        // SAFETY: the caller's contract.
        unsafe { self.core.upgrade(plugin, SealedCopy::of(file.as_ref())?, false, None) }
    }

    /// As [`upgrade`](Host::upgrade), but no state is handed over: the way out when the new build does
    /// not take that of the old one.
    ///
    /// # Safety
    /// As for [`load`](Host::load).
    pub unsafe fn upgrade_fresh(&self, plugin: &Plugin, file: impl AsRef<Path>) -> Result<Upgraded, Error> {
        // SAFETY: the caller's contract.
        unsafe { self.core.upgrade(plugin, SealedCopy::of(file.as_ref())?, true, None) }
    }

    /// Stops a running plugin: takes its callbacks out of their chains, waits until nobody is in
    /// them, stops and drops its instances. Its library stays loaded, for [`start`](Host::start).
    ///
    /// When it takes too long, as with [`unload`](Host::unload), the answer is
    /// [`Status::Stopping`], and it goes on in the background; from within a callback that is so at
    /// once. Until it is over nothing else can be done to the plugin.
    pub fn stop(&self, plugin: &Plugin) -> Result<Status, Error> {
        self.core.stop(plugin)
    }

    /// Starts a stopped plugin: creates and starts its configured instances anew, and registers all
    /// their callbacks in one transaction. When anything fails it stays stopped.
    pub fn start(&self, plugin: &Plugin) -> Result<(), Error> {
        self.core.start(plugin)
    }

    /// Unloads a plugin: takes its callbacks out of their chains, waits until nobody is in them,
    /// stops and drops its instances, closes the library, and says what really happened.
    ///
    /// Past the configured deadline the answer is [`End::Busy`] and it goes on in the background;
    /// from within a callback that is so at once, since it would wait for its own caller.
    pub fn unload(&self, plugin: Plugin) -> Result<End, Error> {
        Ok(self.begin_unload(plugin)?.wait(self.core.wait_timeout()))
    }

    /// Takes a plugin's callbacks out of their chains, and leaves the rest to the background.
    pub fn begin_unload(&self, plugin: Plugin) -> Result<Ticket, Error> {
        self.core.begin_unload(&plugin)
    }

    /// Hands a new configuration to a running instance (`mask`, `mask:logs`): held against the
    /// plugin's schema, then taken or refused by the plugin. When it is refused the old one stays.
    pub fn reload(&self, instance: &str, config: &serde_json::Value) -> Result<(), Error> {
        self.core.reload(instance, config)
    }

    /// How much a plugin tells by `tracing` and `log` from now on: over upgrades and rollbacks too,
    /// until it is unloaded.
    pub fn set_log(&self, plugin: &Plugin, level: LogLevel) -> Result<(), Error> {
        Ok(self.core.table.set_log(plugin, level)?)
    }

    /// The loaded plugin of that name.
    pub fn plugin(&self, name: &str) -> Option<Plugin> {
        self.core.table.plugin(name)
    }

    /// The loaded plugins, by name.
    pub fn plugins(&self) -> Vec<PluginView> {
        self.core.loaded()
    }

    /// The generations of a name that were replaced or unloaded, the last eight at most, oldest
    /// first; whether or not a plugin of that name is loaded now.
    pub fn history(&self, name: &str) -> Vec<GenerationView> {
        self.core.table.history(name)
    }

    /// What happens to plugins from now on.
    pub fn events(&self) -> Events {
        self.core.events()
    }

    /// A point, to dispatch on. The first use of an embedder's own point declares it, which must
    /// come before plugins that hook it are loaded.
    pub fn point<P: Point>(&self, point: P) -> Result<HookPoint<P>, Error> {
        Ok(self.core.registry.hook_point(point)?)
    }

    /// Runs `read` with all chains as they are now: a plugin that is loaded or unloaded meanwhile
    /// is either in all of them or in none. Nothing that was published is freed until it returns,
    /// so keep it short; an unloading waits for it.
    pub fn pin<R>(&self, read: impl FnOnce(&Pin<'_>) -> R) -> R {
        self.core.registry.pinned(read)
    }

    /// Every point with its chain, by name.
    pub fn points(&self) -> Vec<PointView> {
        view::points(&self.core.registry)
    }

    /// Registers callbacks of the embedding program: all of them, or none. The operator's overrides
    /// are about plugins; the program may read its own configuration.
    pub fn register(&self, callbacks: Callbacks) -> Result<Registered, Error> {
        Ok(self.core.registry.register(callbacks, self.core.next_owner())?)
    }

    /// Takes callbacks out of their chains. Cannot fail, and does not wait: dispatches that run
    /// already may still call them, and if there are any they are dropped by the first change of
    /// chains after them.
    pub fn unregister(&self, registered: Registered) {
        self.core.registry.unregister(registered);
    }

    /// How closely the dispatches of a point are looked at from now on. Takes effect between two
    /// dispatches: none is lost, and none comes to another answer.
    pub fn set_level(&self, point: &str, level: Level) -> Result<(), Error> {
        self.core.set_level(point, level)
    }

    /// Begins to trace the next dispatches of a point, so many at most, of those that fulfil the
    /// condition. Each of its dispatches costs microseconds until the answer is dropped.
    pub fn trace(&self, point: &str, condition: Option<Condition>, count: usize) -> Result<Traces, Error> {
        Core::trace(&self.core, point, condition, count)
    }

    /// Has a quarantined callback (`instance/callback`) called again, without waiting for its trial.
    pub fn unquarantine(&self, point: &str, callback: &str) -> Result<(), Error> {
        self.core.unquarantine(point, callback)
    }

    /// Who denied, and why; `None` where nobody did.
    ///
    /// The reason is kept on the thread that dispatched, until its next denial. Asked later or elsewhere, the denial
    /// has none; never that of another.
    pub fn denial(&self, outcome: &Outcome) -> Option<Denial> {
        let Decision::Denied(code) = outcome.decision() else { return None };
        Some(Denial { by: self.decided_by(outcome), code, reason: frame::reason(outcome.denial()) })
    }

    /// The callback that decided, as `instance/callback`, if one did.
    pub fn decided_by(&self, outcome: &Outcome) -> Option<String> {
        Some(self.core.registry.names.name(outcome.decided_by()?).to_string())
    }

    /// The operator's overrides that are about no registered callback: misspelt, or their plugin is
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

    /// The points of the operator's configuration that nobody has declared: misspelt, or declared later.
    pub fn unused_points(&self) -> Vec<&str> {
        let mut unused: Vec<_> = self.core.config.points.keys().map(String::as_str).collect();
        unused.retain(|point| self.core.registry.point(point).is_none());
        unused
    }

    /// What the host is, for the crates of the host itself that stand above this one.
    #[doc(hidden)]
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The configuration the host was made with.
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
        f.debug_struct("Host").field("plugins", &self.plugins()).finish_non_exhaustive()
    }
}

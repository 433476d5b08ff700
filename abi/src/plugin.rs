//! What a plugin author writes: one type, one trait.

use std::cell::RefCell;
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Instant;

use crate::error::Result;
use crate::host::{Dir, Instance, Level};
use crate::metrics::Metric;
use crate::{Configuration, Endpoints, Fires, Health, Hooks, Readiness, State, config};

/// A plugin.
///
/// Its life: the host reads the declared hooks from the file, creates an instance with its configuration, and calls
/// [`start`](Plugin::start). Once the instance is [`ready`](Plugin::ready), callbacks run on any thread, on several at
/// once, with `&self`. When the instance ends, no callback runs any more; [`drain`](Plugin::drain) and
/// [`stop`](Plugin::stop) are called, the value is dropped, and the library is unloaded.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a plugin: implement `hookrail_abi::Plugin` for it")]
pub trait Plugin: Send + Sync + Sized + 'static {
    /// The configuration, a type with [`#[config]`](macro@crate::config); [`NoConfig`] for none. Its JSON Schema is
    /// exported, and the host validates a configuration against it before the plugin sees it.
    type Config: Configuration;

    /// The callbacks, made by [`hooks!`](crate::hooks). They are written into the file too, so that the host knows them
    /// before it runs any of the plugin's code.
    const HOOKS: Hooks<Self>;

    /// The sources and sinks, made by [`endpoints!`](crate::endpoints). They are written into the file too.
    const ENDPOINTS: Endpoints<Self> = &[];

    /// The points that the plugin dispatches itself, made by [`fires!`](crate::fires): see
    /// [`dispatch`](crate::dispatch). They are written into the file too.
    const FIRES: Fires = &[];

    /// The numbers that the plugin counts itself, for the operator's monitoring: see [`metrics`](crate::metrics).
    const METRICS: &'static [Metric] = &[];

    /// How many instances one library may have.
    const INSTANCES: Instances = Instances::Many;

    /// What the plugin asks the operator to grant: `net.connect:HOST:PORT`, `net.listen:NAME`, `fs.read:PATH`,
    /// `fs.write:PATH`, `exec:PATH`, `env:NAME`, `bus.publish:TOPIC`, `bus.subscribe:TOPIC`, `dispatch:POINT` or
    /// `control:COMMAND`. A package with another one is refused.
    const CAPABILITIES: &'static [&'static str] = &[];

    /// Where the author wants it to run. A wish for more confinement than the operator's default is granted, one for
    /// less is not.
    const ISOLATION: Option<Isolation> = None;

    /// Starts an instance. Its callbacks are called only after this has returned and the instance is
    /// [`ready`](Plugin::ready).
    ///
    /// # Errors
    /// Any error refuses the start; the operator reads it.
    fn start(host: &Startup, config: Self::Config) -> Result<Self>;

    /// Whether the instance can do its work. Asked again and again after [`start`](Plugin::start), until it is ready or
    /// the operator's patience has ended; must not wait itself.
    ///
    /// # Errors
    /// Any error fails the start: it will never be ready.
    fn ready(&self) -> Result<Readiness> {
        Ok(Readiness::Ready)
    }

    /// How the instance is. Asked every few seconds while callbacks run; to be answered within a second or two.
    ///
    /// # Errors
    /// Any error says that it does not work, and why.
    fn health(&self) -> Result<Health> {
        Ok(Health::Good)
    }

    /// Pauses what the instance does by itself: its threads, its sources. When this has returned, its callbacks are
    /// called no more, until [`resume`](Plugin::resume).
    ///
    /// # Errors
    /// Any error refuses, and nothing changes; so nothing may be paused then.
    fn halt(&self) -> Result<()> {
        Ok(())
    }

    /// Continues what [`halt`](Plugin::halt) has paused. When this has returned, its callbacks are called again.
    ///
    /// # Errors
    /// On any error it stays halted.
    fn resume(&self) -> Result<()> {
        Ok(())
    }

    /// Finishes what the instance still holds, before `deadline`. No callback runs any more; [`stop`](Plugin::stop) is
    /// called next.
    ///
    /// # Errors
    /// On any error the host's log says what was not finished.
    fn drain(&self, deadline: Instant) -> Result<()> {
        let _ = deadline;
        Ok(())
    }

    /// Applies a new configuration while callbacks run. The default implementation refuses.
    ///
    /// # Errors
    /// Any error refuses the configuration; the old one stays.
    fn reload(&self, config: Self::Config) -> Result<()> {
        let _ = config;
        Err("this plugin takes a new configuration only when it is restarted".into())
    }

    /// Saves the state that the next generation starts with, when this one is about to be replaced; `None` for no
    /// state. Called while callbacks run, so the state may be out of date when the new generation takes over: what
    /// changes afterwards is handed over by [`save_changes`](Plugin::save_changes).
    ///
    /// # Errors
    /// Any error refuses the upgrade.
    fn save(&self) -> Result<Option<State>> {
        Ok(None)
    }

    /// Starts an instance with what the previous generation saved; called instead of [`start`](Plugin::start). The
    /// default implementation refuses.
    ///
    /// # Errors
    /// Any error fails the upgrade, and the previous generation goes on.
    fn restore(host: &Startup, config: Self::Config, state: State) -> Result<Self> {
        let _ = (host, config, state);
        Err("this build takes no state from the one before".into())
    }

    /// Saves what changed since [`save`](Plugin::save). Called when no callback of this generation runs any more,
    /// before [`stop`](Plugin::stop); the next generation is already serving.
    ///
    /// # Errors
    /// On any error the changes are lost.
    fn save_changes(&self) -> Result<Option<State>> {
        Ok(None)
    }

    /// Applies the previous generation's last changes, while callbacks run. The default implementation refuses.
    ///
    /// # Errors
    /// On any error the changes are lost, and the host's log says so.
    fn apply_changes(&self, changes: State) -> Result<()> {
        let _ = changes;
        Err("this build takes no changes from the one before".into())
    }

    /// Stops what the instance has started; no callback runs any more. The value is dropped afterwards.
    fn stop(&self) {}
}

/// The configuration of a plugin that needs none.
#[config]
#[derive(Clone, Copy, Debug, Default)]
pub struct NoConfig {}

/// How many instances one library may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Instances {
    /// As many as are configured.
    Many,
    /// One.
    One,
}

/// Where an author wants a plugin to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// In the host's process.
    InProcess,
    /// In a process of its own.
    Worker,
}

/// Given to [`Plugin::start`]: the instance's handle to the host, and the means to leave out a declared callback.
#[derive(Debug)]
pub struct Startup {
    name: String,
    instance: Instance,
    left_out: RefCell<Vec<&'static str>>,
}

impl Startup {
    pub(crate) fn new(name: String, instance: Instance) -> Self {
        Startup { name, instance, left_out: RefCell::default() }
    }

    /// The name of this instance, for example `mask` or `mask:logs`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The handle to the host, which may be kept.
    pub fn instance(&self) -> Instance {
        self.instance
    }

    /// Writes one line to the host's log, under the instance's name: [`Instance::log`].
    pub fn log(&self, level: Level, line: impl Display) {
        self.instance.log(level, line);
    }

    /// A directory of the instance's own, created if needed: [`Instance::dir`].
    ///
    /// # Errors
    /// As for [`Instance::dir`].
    pub fn dir(&self, dir: Dir) -> Result<PathBuf> {
        self.instance.dir(dir)
    }

    /// Leaves out the declared callback of that name, at all points. An undeclared name fails the start. Callbacks can
    /// only be left out, never added.
    pub fn leave_out(&self, callback: &'static str) {
        self.left_out.borrow_mut().push(callback);
    }

    /// A name that was left out but is not in `hooks`.
    pub(crate) fn left_out_of<P>(&self, hooks: Hooks<P>) -> Option<&'static str> {
        let left_out = self.left_out.borrow();
        left_out.iter().copied().find(|name| hooks.iter().all(|hook| hook.callback != *name))
    }

    pub(crate) fn leaves_out(&self, callback: &str) -> bool {
        self.left_out.borrow().contains(&callback)
    }
}

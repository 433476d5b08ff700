//! What an author writes: one type, one trait.

use std::cell::RefCell;
use std::fmt::Display;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::host::{Dir, Instance, Level};
use crate::{Hooks, State};

/// A plugin.
///
/// Its life: the host reads the declared hooks from the file, creates an instance with its
/// configuration, and calls [`start`](Plugin::start). Callbacks then run on any thread, on several
/// at once, with `&self`. When it ends, no callback runs any more; [`stop`](Plugin::stop) is
/// called, the value dropped, the library unloaded.
#[diagnostic::on_unimplemented(message = "`{Self}` is no plugin: implement `hookrail_abi::Plugin` for it")]
pub trait Plugin: Send + Sync + Sized + 'static {
    /// The configuration, [`NoConfig`] for none. Its JSON Schema is exported, and the host checks
    /// a configuration against it before the plugin sees it.
    type Config: DeserializeOwned + JsonSchema;

    /// The callbacks, made by [`hooks!`](crate::hooks). They are written into the file too, so
    /// that they are known before any code of the plugin runs.
    const HOOKS: Hooks<Self>;

    /// How many instances one library may have.
    const INSTANCES: Instances = Instances::Many;

    /// What the plugin asks the host's operator to grant; for people and for isolation.
    const CAPABILITIES: &'static [&'static str] = &[];

    /// Where the author wishes it to run.
    const ISOLATION: Isolation = Isolation::InProcess;

    /// Starts an instance. Callbacks are called only after this returned.
    fn start(host: &Startup, config: Self::Config) -> Result<Self>;

    /// Takes a new configuration while callbacks run. Refuses unless written.
    fn reload(&self, config: Self::Config) -> Result<()> {
        let _ = config;
        Err("this plugin takes a new configuration only when it is restarted".into())
    }

    /// What the next generation shall start with, when this one is about to be replaced; `None` for
    /// nothing. Asked while callbacks run, so it may be out of date when the new one takes over: what
    /// changes afterwards is for [`save_changes`](Plugin::save_changes). An error refuses the upgrade.
    fn save(&self) -> Result<Option<State>> {
        Ok(None)
    }

    /// Starts an instance with what the generation before it saved; called instead of
    /// [`start`](Plugin::start). Refuses unless written: then the upgrade fails, and the generation
    /// before goes on.
    fn restore(host: &Startup, config: Self::Config, state: State) -> Result<Self> {
        let _ = (host, config, state);
        Err("this build takes no state from the one before".into())
    }

    /// What changed since [`save`](Plugin::save): asked when no callback runs any more, before
    /// [`stop`](Plugin::stop). The next generation serves by then.
    fn save_changes(&self) -> Result<Option<State>> {
        Ok(None)
    }

    /// Takes in what the generation before handed on last, while callbacks run. Refuses unless
    /// written; then the rest is lost, and the host's log says so.
    fn apply_changes(&self, rest: State) -> Result<()> {
        let _ = rest;
        Err("this build takes no rest from the one before".into())
    }

    /// Ends what was begun; no callback runs any more. The value is dropped afterwards.
    fn stop(&self) {}
}

/// The configuration of a plugin that has none.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// How many instances one library may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instances {
    /// As many as are configured.
    Many,
    /// One.
    One,
}

/// Where an author wishes a plugin to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In the host's process.
    InProcess,
    /// In a process of its own.
    Worker,
}

/// Given to [`Plugin::start`]: the instance's line to the host, and the choice to leave a declared
/// callback out.
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

    /// The line to the host, to be kept for later.
    pub fn instance(&self) -> Instance {
        self.instance
    }

    /// Writes one line to the host's log, under the instance's name: [`Instance::log`].
    pub fn log(&self, level: Level, line: impl Display) {
        self.instance.log(level, line);
    }

    /// A directory of the instance's own, which exists when this returns: [`Instance::dir`].
    pub fn dir(&self, dir: Dir) -> Result<PathBuf> {
        self.instance.dir(dir)
    }

    /// Leaves out the declared callback of that name, in all points. A name that is not declared
    /// fails the start; a callback that is not declared cannot be added.
    pub fn leave_out(&self, callback: &'static str) {
        self.left_out.borrow_mut().push(callback);
    }

    /// A name that was left out and is none of `hooks`.
    pub(crate) fn left_out_of<P>(&self, hooks: Hooks<P>) -> Option<&'static str> {
        let left_out = self.left_out.borrow();
        left_out.iter().copied().find(|name| hooks.iter().all(|hook| hook.callback != *name))
    }

    pub(crate) fn leaves_out(&self, callback: &str) -> bool {
        self.left_out.borrow().contains(&callback)
    }
}

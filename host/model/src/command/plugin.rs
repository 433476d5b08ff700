//! Loaded plugins, whatever file they come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Changed, Ended, PluginDetail, Replaced, command, is_false};
use crate::log_level::LogLevel;
use crate::view::PluginView;

/// Returns the plugins that are loaded or installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct List {
    /// Whether to compare every installed file with its digest.
    #[serde(default, skip_serializing_if = "is_false")]
    pub verify: bool,
}

/// Has hosts run an installed plugin in their own process; one that runs is moved there with its state. A plugin that no
/// store has hosts load is moved until it is unloaded.
///
/// Its code can do there whatever the host can: only the operator of the machine decides that, so whoever carries
/// commands from elsewhere than the local socket does not carry this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Embed {
    /// Its name.
    pub plugin: String,
    /// How long to wait for the end of the old generation, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Has a running plugin pause its own work, and takes its callbacks out of their chains; its instances stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Halt {
    /// Its name.
    pub plugin: String,
}

/// Has hosts run an installed plugin in a worker process; one that runs is moved there with its state. A plugin that no
/// store has hosts load is moved until it is unloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Isolate {
    /// Its name.
    pub plugin: String,
    /// The worker, if it is one that several plugins share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// How long to wait for the end of the old generation, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Loads a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Load {
    /// Its library.
    pub file: PathBuf,
}

/// Sets how much a plugin logs by `tracing` and `log` from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetLogLevel {
    /// Its name.
    pub plugin: String,
    /// The least severe level that is logged.
    pub level: LogLevel,
}

/// Stops a plugin and starts it again: the same code, without its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Restart {
    /// Its name.
    pub plugin: String,
}

/// Has a halted plugin continue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Resume {
    /// Its name.
    pub plugin: String,
}

/// Returns one plugin, with its callbacks and former generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Show {
    /// Its name.
    pub plugin: String,
}

/// Starts a plugin that is stopped, or that is enabled and not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Start {
    /// Its name.
    pub plugin: String,
}

/// Stops a plugin and keeps its library loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Stop {
    /// Its name.
    pub plugin: String,
}

/// Unloads a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Unload {
    /// Its name.
    pub plugin: String,
    /// How long to wait for the end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Replaces the code of a loaded plugin with another build of it, until the host ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Replace {
    /// Its name.
    pub plugin: String,
    /// The library of the new build.
    pub file: PathBuf,
    /// Whether to leave the state behind.
    #[serde(default)]
    pub fresh: bool,
    /// How long to wait for the end of the old generation, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

command!(List, "list", NOTHING, Vec<PluginView>);
command!(Embed, "embed", PLUGINS, Changed, wait_ms);
command!(Halt, "halt", HOST_AND_PLUGINS, PluginView);
command!(Isolate, "isolate", PLUGINS, Changed, wait_ms);
command!(Load, "load", HOST_AND_PLUGINS, PluginView);
command!(SetLogLevel, "set-log-level", HOST_AND_PLUGINS, PluginView);
command!(Restart, "restart", HOST_AND_PLUGINS, PluginView);
command!(Resume, "resume", HOST_AND_PLUGINS, PluginView);
command!(Show, "show", NOTHING, PluginDetail);
command!(Start, "start", HOST_AND_PLUGINS, PluginView);
command!(Stop, "stop", HOST_AND_PLUGINS, PluginView);
command!(Unload, "unload", HOST_AND_PLUGINS, Ended, wait_ms);
command!(Replace, "replace", HOST_AND_PLUGINS, Replaced, wait_ms);

impl List {
    /// For all plugins; only compares the metadata of installed files.
    pub fn new() -> Self {
        List::default()
    }

    /// Compares every installed file with its digest.
    #[must_use]
    pub fn verify(mut self) -> Self {
        self.verify = true;
        self
    }
}

impl Embed {
    /// For a plugin, with the host's default wait.
    pub fn new(plugin: impl Into<String>) -> Self {
        Embed { plugin: plugin.into(), wait_ms: None }
    }
}

impl Halt {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Halt { plugin: plugin.into() }
    }
}

impl Isolate {
    /// For a plugin that gets a worker of its own, with the host's default wait.
    pub fn new(plugin: impl Into<String>) -> Self {
        Isolate { plugin: plugin.into(), worker: None, wait_ms: None }
    }

    /// Into the worker of that name, which several plugins share.
    #[must_use]
    pub fn into_worker(mut self, name: impl Into<String>) -> Self {
        self.worker = Some(name.into());
        self
    }
}

impl Load {
    /// For the library at an absolute path.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Load { file: file.into() }
    }
}

impl SetLogLevel {
    /// For a plugin and a level.
    pub fn new(plugin: impl Into<String>, level: LogLevel) -> Self {
        SetLogLevel { plugin: plugin.into(), level }
    }
}

impl Restart {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Restart { plugin: plugin.into() }
    }
}

impl Resume {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Resume { plugin: plugin.into() }
    }
}

impl Show {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Show { plugin: plugin.into() }
    }
}

impl Start {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Start { plugin: plugin.into() }
    }
}

impl Stop {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Stop { plugin: plugin.into() }
    }
}

impl Unload {
    /// For a plugin, with the host's default wait.
    pub fn new(plugin: impl Into<String>) -> Self {
        Unload { plugin: plugin.into(), wait_ms: None }
    }
}

impl Replace {
    /// For the library at an absolute path, handing over the state, with the host's default wait.
    pub fn new(plugin: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Replace { plugin: plugin.into(), file: file.into(), fresh: false, wait_ms: None }
    }

    /// Leaves the state behind.
    #[must_use]
    pub fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }
}

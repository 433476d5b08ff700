//! Plugins that are loaded, from any file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Ended, PluginDetail, Replaced, command, is_false};
use crate::log_level::LogLevel;
use crate::view::PluginView;

/// The plugins that are loaded or installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Every file of what is installed is held against its digest.
    #[serde(default, skip_serializing_if = "is_false")]
    pub verify: bool,
}

/// Loads a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Its library.
    pub file: PathBuf,
}

/// How much a plugin tells by `tracing` and `log` from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetLogLevel {
    /// Its name.
    pub plugin: String,
    /// What is told: that, and what matters more.
    pub level: LogLevel,
}

/// Stops a plugin and starts it again: the same code, without what it has in mind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Its name.
    pub plugin: String,
}

/// One plugin, with its callbacks and former generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Its name.
    pub plugin: String,
}

/// Starts a stopped plugin, or one that is enabled and not loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Its name.
    pub plugin: String,
}

/// Stops a plugin, and keeps its library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Its name.
    pub plugin: String,
}

/// Unloads a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unload {
    /// Its name.
    pub plugin: String,
    /// How long to wait for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Replaces a plugin by another build of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// Its name.
    pub plugin: String,
    /// The library of the new build.
    pub file: PathBuf,
    /// Leaves the state behind.
    #[serde(default)]
    pub fresh: bool,
    /// How long to wait for the end of the old generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

command!(List, "list", NOTHING, Vec<PluginView>);
command!(Load, "load", HOST_AND_PLUGINS, PluginView);
command!(SetLogLevel, "set-log-level", HOST_AND_PLUGINS, PluginView);
command!(Restart, "restart", HOST_AND_PLUGINS, PluginView);
command!(Show, "show", NOTHING, PluginDetail);
command!(Start, "start", HOST_AND_PLUGINS, PluginView);
command!(Stop, "stop", HOST_AND_PLUGINS, PluginView);
command!(Unload, "unload", HOST_AND_PLUGINS, Ended, wait_ms);
command!(Upgrade, "upgrade", HOST_AND_PLUGINS, Replaced, wait_ms);

impl List {
    /// Looks at the metadata of what is installed alone.
    pub fn new() -> Self {
        List::default()
    }
}

impl Load {
    /// From the library at an absolute path.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Load { file: file.into() }
    }
}

impl SetLogLevel {
    /// That of a plugin.
    pub fn new(plugin: impl Into<String>, level: LogLevel) -> Self {
        SetLogLevel { plugin: plugin.into(), level }
    }
}

impl Restart {
    /// Of a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Restart { plugin: plugin.into() }
    }
}

impl Show {
    /// That plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Show { plugin: plugin.into() }
    }
}

impl Start {
    /// That plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Start { plugin: plugin.into() }
    }
}

impl Stop {
    /// That plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Stop { plugin: plugin.into() }
    }
}

impl Unload {
    /// That plugin; waits for the end as the host sees fit.
    pub fn new(plugin: impl Into<String>) -> Self {
        Unload { plugin: plugin.into(), wait_ms: None }
    }
}

impl Upgrade {
    /// By the library at an absolute path, with the state, waiting as the host sees fit.
    pub fn new(plugin: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Upgrade { plugin: plugin.into(), file: file.into(), fresh: false, wait_ms: None }
    }
}

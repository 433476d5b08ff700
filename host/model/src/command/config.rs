//! The configurations of plugins.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Reconfigured, command};
use crate::installed::{Configured, FormerConfig};

/// Returns a plugin's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The plugin.
    pub plugin: String,
}

/// Returns a plugin's former configurations, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfigHistory {
    /// The plugin.
    pub plugin: String,
}

/// Returns the JSON Schema of a plugin's configuration: if the plugin is loaded, the one that it exports, else that of
/// its package or prebuilt library; nothing if it has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfigSchema {
    /// The plugin.
    pub plugin: String,
}

/// Configures a plugin. If it runs, it applies the configuration at once, or refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Configure {
    /// The plugin.
    pub plugin: String,
    /// The whole configuration.
    pub config: Value,
    /// Restarts the same code with the configuration, for plugins that read it only at start.
    #[serde(default)]
    pub restart: bool,
    /// The revision that must still be the current one, so that a change made meanwhile is not undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_revision: Option<u64>,
    /// How long to wait for the end of the old generation, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

command!(Config, "config", NOTHING, Configured);
command!(ConfigHistory, "config-history", NOTHING, Vec<FormerConfig>);
command!(ConfigSchema, "config-schema", PLUGINS, Option<Value>);
command!(Configure, "configure", PLUGINS, Reconfigured, wait_ms);
command!(ReloadConfig, "reload-config", HOST_AND_PLUGINS, ReloadedConfig);

/// Has a host read its configuration file again. A mistake in it changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReloadConfig {}

/// What came of it that a host has read its configuration file again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReloadedConfig {
    /// What has changed, one line for each.
    pub changed: Vec<String>,
    /// The keys that differ, and that are read only when the host is started.
    pub needs_restart: Vec<String>,
}

impl ReloadConfig {
    /// The file that it was started with.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Config {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Config { plugin: plugin.into() }
    }
}

impl ConfigHistory {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        ConfigHistory { plugin: plugin.into() }
    }
}

impl ConfigSchema {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        ConfigSchema { plugin: plugin.into() }
    }
}

impl Configure {
    /// For a plugin; by a reload if it runs.
    pub fn new(plugin: impl Into<String>, config: Value) -> Self {
        Configure { plugin: plugin.into(), config, restart: false, if_revision: None, wait_ms: None }
    }

    /// Restarts the same code with it, for plugins that read it only at start.
    #[must_use]
    pub fn restart(mut self) -> Self {
        self.restart = true;
        self
    }

    /// Only if that revision is still the current one.
    #[must_use]
    pub fn if_revision(mut self, revision: u64) -> Self {
        self.if_revision = Some(revision);
        self
    }
}

//! What plugins are configured with.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Reconfigured, command};
use crate::installed::{Configured, FormerConfig};

/// What a plugin is configured with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The plugin.
    pub plugin: String,
}

/// What a plugin was configured with before, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigHistory {
    /// The plugin.
    pub plugin: String,
}

/// The JSON Schema of a plugin's configuration: the one that it exports where it is loaded, else that of its
/// package, or of its prebuilt library; nothing if it has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigSchema {
    /// The plugin.
    pub plugin: String,
}

/// Configures a plugin. Where it runs it takes that at once, or refuses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    /// The plugin.
    pub plugin: String,
    /// The whole configuration.
    pub config: Value,
    /// Has the same code run anew with it, for plugins that take it only when they are loaded.
    #[serde(default)]
    pub restart: bool,
    /// How long to wait for the end of the old generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

command!(Config, "config", NOTHING, Configured);
command!(ConfigHistory, "config-history", NOTHING, Vec<FormerConfig>);
command!(ConfigSchema, "config-schema", PLUGINS, Option<Value>);
command!(Configure, "configure", PLUGINS, Reconfigured, wait_ms);

impl Config {
    /// Of a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Config { plugin: plugin.into() }
    }
}

impl ConfigHistory {
    /// Of a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        ConfigHistory { plugin: plugin.into() }
    }
}

impl ConfigSchema {
    /// Of a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        ConfigSchema { plugin: plugin.into() }
    }
}

impl Configure {
    /// By a reload, where the plugin runs.
    pub fn new(plugin: impl Into<String>, config: Value) -> Self {
        Configure { plugin: plugin.into(), config, restart: false, wait_ms: None }
    }
}

//! What is configured of one plugin.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hookrail_model::isolation::{Isolation, WorkerLimits};
use hookrail_model::log_level::LogLevel;
use hookrail_model::setters;
use hookrail_model::units::fields;
use serde::{Deserialize, Serialize};

/// One plugin's file and configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PluginConfig {
    /// Its library; by default looked up by name where the program looks for plugins.
    pub library: Option<PathBuf>,
    /// How many bytes all its instances together may hold before its callbacks are quarantined. Has no effect unless
    /// the plugin counts its memory.
    #[serde(deserialize_with = "fields::optional_size")]
    pub max_memory: Option<u64>,
    /// Whether to clear the flag `-z nodelete` in the private copy, so that the library can be unmapped.
    pub force_unload: bool,
    /// The configuration of its one instance, which has the plugin's name. Where a text is wanted, the table
    /// `{ secret_file = "/run/secrets/token" }` stands for what the file has.
    pub config: serde_json::Value,
    /// Whether the host fails closed without it. Once it has been loaded, and while it is stopped or unloaded, the host
    /// denies in place of each of its callbacks whose fault denies.
    pub required: bool,
    /// Several instances, named `plugin:KEY`, instead of one.
    pub instances: BTreeMap<String, InstanceConfig>,
    /// How much it tells.
    pub log_level: Option<LogLevel>,
    /// In which process its code runs. Unless it is said, what the plugin's note asks for is granted.
    pub isolation: Option<Isolation>,
    /// The limits of its worker, if it runs in one.
    pub worker: WorkerLimits,
}

setters!(PluginConfig {
    with_isolation(isolation: Isolation) = Some,
    with_worker(worker: WorkerLimits),
    with_max_memory(max_memory: u64) = Some,
    with_force_unload(force_unload: bool),
    with_config(config: serde_json::Value),
    with_required(required: bool),
    with_log_level(log_level: LogLevel) = Some,
});

impl PluginConfig {
    /// Sets [`library`](Self#structfield.library).
    #[must_use]
    pub fn with_library(mut self, library: impl Into<PathBuf>) -> Self {
        self.library = Some(library.into());
        self
    }

    /// Adds one of its [`instances`](Self#structfield.instances), by its key.
    #[must_use]
    pub fn with_instance(mut self, key: impl Into<String>, instance: InstanceConfig) -> Self {
        self.instances.insert(key.into(), instance);
        self
    }
}

/// One instance's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct InstanceConfig {
    /// The configuration, as [`PluginConfig::config`].
    pub config: serde_json::Value,
}

setters!(InstanceConfig { with_config(config: serde_json::Value) });

//! What an embedder or an operator configures: in code, or in `hookrail.toml`.

#[cfg(feature = "config-file")]
mod environment;
#[cfg(feature = "config-file")]
mod instead;
mod keys;
#[cfg(feature = "config-file")]
mod mistakes;
mod places;
mod plugin;
#[cfg(feature = "config-file")]
mod read;
mod secret;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hookrail_model::config::{CallbackOverride, FaultPolicies, HealthLimits, PointConfig, Quarantine, UpgradeLimits};
use hookrail_model::error::{ConfigError, Error};
use hookrail_model::installed::Origin;
use hookrail_model::instance::plugin_of;
use hookrail_model::isolation::{Placed, PlacedBy, WorkerLimits};
use hookrail_model::log_level::LogLevel;
use hookrail_model::pipeline::PipelineConfig;
use hookrail_model::setters;
use hookrail_model::units::fields;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use crate::in_process::Opening;
pub use keys::{ConfigKey, KeyOrigin};
#[cfg(feature = "config-file")]
pub use mistakes::parse_whole;
use places::Places;
pub use plugin::{InstanceConfig, PluginConfig};

/// The configuration of a host. Everything has a default.
///
/// ```
/// use hookrail::{CallbackOverride, Config, Host, PluginConfig, UnloadLimits};
/// use serde_json::json;
///
/// let mask = PluginConfig::default().with_config(json!({ "patterns": ["secret[0-9]+"] })).with_required(true);
/// let config = Config::default()
///     .with_plugin("mask", mask)
///     .with_override(CallbackOverride::new("message.publish", "mask/mask").with_priority(200))
///     .with_unload(UnloadLimits::default().with_deadline(std::time::Duration::from_secs(1)));
/// let host = Host::new(config)?;
/// # Ok::<(), hookrail::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// Plugins by name: their file and their configuration.
    pub plugins: BTreeMap<String, PluginConfig>,
    /// What the operator changes about single callbacks.
    pub overrides: Vec<CallbackOverride>,
    /// What the operator changes about points, by name.
    pub points: BTreeMap<String, PointConfig>,
    /// What the operator says of faults, by the kind of the point.
    pub fault_policies: FaultPolicies,
    /// When callbacks that fail are called no more.
    pub quarantine: Quarantine,
    /// The limits that are watched while plugins run.
    pub limits: Limits,
    /// Pipelines by name: for programs that run some.
    pub pipelines: BTreeMap<String, PipelineConfig>,
    /// What instances are asked about themselves.
    pub health: HealthLimits,
    /// What holds for messages.
    pub message: MessageLimits,
    /// Where plugins and running hosts keep their files; without it [`home_dir`](Self::home_dir) says where.
    pub home: Option<PathBuf>,
    /// How plugins are unloaded.
    pub unload: UnloadLimits,
    /// The limits of an upgrade, from an old build to a new one.
    pub upgrade: UpgradeLimits,
    /// The log level of plugins that have none of their own; by default what the subscriber of
    /// this program wants to know when they are loaded, or `info` when there is none.
    pub log_level: Option<LogLevel>,
    /// Where its keys are, if it was read from a file.
    #[serde(skip)]
    places: Option<Places>,
}

setters!(Config {
    with_fault_policies(fault_policies: FaultPolicies),
    with_quarantine(quarantine: Quarantine),
    with_limits(limits: Limits),
    with_message(message: MessageLimits),
    with_unload(unload: UnloadLimits),
    with_health(health: HealthLimits),
    with_upgrade(upgrade: UpgradeLimits),
    with_log_level(log_level: LogLevel) = Some,
});

/// Settings of one plugin besides the host's configuration, while the host runs.
#[derive(Clone, Debug, Default)]
pub struct RuntimeOverrides {
    /// Configurations by instance; they take precedence over those of the host's configuration.
    pub configs: BTreeMap<String, serde_json::Value>,
    /// About its callbacks; the host's configuration goes before them.
    pub overrides: Vec<CallbackOverride>,
    /// In which process it runs; it takes precedence over the host's configuration.
    pub isolation: Option<Placed>,
}

/// The limits that are watched while plugins run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// How long a call of a callback may take before it is reported as stuck; zero
    /// disables this.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub stuck: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { stuck: Duration::from_secs(30) }
    }
}

setters!(Limits { with_stuck(stuck: Duration) });

/// What holds for messages: what the built-in callback of `message.publish` accepts, and what of the others is passed
/// on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct MessageLimits {
    /// The longest body, in bytes.
    #[serde(deserialize_with = "fields::size")]
    pub max_body: usize,
    /// The longest topic, in bytes.
    #[serde(deserialize_with = "fields::size")]
    pub max_topic: usize,
    /// The most headers.
    pub max_headers: usize,
    /// What the callbacks of `message.dropped` get of a denied message; for programs that dispatch it.
    pub dropped: DroppedContent,
}

/// What the callbacks of `message.dropped` get of a denied message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DroppedContent {
    /// All of it as the callback that denied it left it, with what later callbacks would have masked.
    Raw,
    /// Neither headers nor body: see [`Dropped::withhold`](hookrail_abi::Dropped::withhold).
    #[default]
    Withheld,
}

impl Default for MessageLimits {
    fn default() -> Self {
        MessageLimits { max_body: 16 << 20, max_topic: 1024, max_headers: 256, dropped: DroppedContent::Withheld }
    }
}

setters!(MessageLimits {
    with_max_body(max_body: usize),
    with_max_topic(max_topic: usize),
    with_max_headers(max_headers: usize),
    with_dropped(dropped: DroppedContent),
});

/// How plugins are unloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct UnloadLimits {
    /// How long to wait for threads: for readers, before the plugin's code is taken out of the chains
    /// they may still walk; and for the destructors and threads of a plugin, after which those of idle
    /// threads are skipped and the rest continues in the background.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub deadline: Duration,
}

impl Default for UnloadLimits {
    fn default() -> Self {
        UnloadLimits { deadline: Duration::from_secs(5) }
    }
}

setters!(UnloadLimits { with_deadline(deadline: Duration) });

impl Config {
    /// Adds one of its [`plugins`](Self#structfield.plugins), by its name.
    #[must_use]
    pub fn with_plugin(mut self, name: impl Into<String>, plugin: PluginConfig) -> Self {
        self.plugins.insert(name.into(), plugin);
        self
    }

    /// Adds one of its [`overrides`](Self#structfield.overrides).
    #[must_use]
    pub fn with_override(mut self, callback: CallbackOverride) -> Self {
        self.overrides.push(callback);
        self
    }

    /// Adds one of its [`points`](Self#structfield.points), by its name.
    #[must_use]
    pub fn with_point(mut self, name: impl Into<String>, point: PointConfig) -> Self {
        self.points.insert(name.into(), point);
        self
    }

    /// Sets [`home`](Self#structfield.home).
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    fn check_paths(&self) -> Result<(), ConfigError> {
        for (name, plugin) in &self.plugins {
            plugin
                .library
                .iter()
                .try_for_each(|file| ConfigError::check_path(&format!("plugins.{name}.library"), file))?;
        }
        self.home.iter().try_for_each(|home| ConfigError::check_path("home", home))
    }

    /// The file and the line of a key, as `FILE:LINE`, if this was read from a file that has it.
    #[doc(hidden)]
    pub fn place_of(&self, key: &str) -> Option<String> {
        self.places.as_ref()?.of_key(key)
    }

    /// Where a file states the configuration of an instance, if one does.
    pub(crate) fn declares(&self, instance: &str) -> Option<String> {
        let plugin = self.plugins.get(plugin_of(instance))?;
        let key = instance.split_once(':').map(|(_, key)| key);
        let config = match key {
            Some(key) => &plugin.instances.get(key)?.config,
            None => &plugin.config,
        };
        if config.is_null() { None } else { self.place_of(&key_of_instance(instance)) }
    }

    /// A mistake in this configuration, with the file and the line.
    #[doc(hidden)]
    pub fn located(&self, error: ConfigError) -> ConfigError {
        let key = match &error {
            ConfigError::Endpoint { key, .. } | ConfigError::InvalidValue { key, .. } => Some(key.clone()),
            ConfigError::ReservedPriority { point, callback, .. } => self.key_of_override(point, callback),
            ConfigError::Schema { instance, .. } => Some(key_of_instance(instance)),
            ConfigError::TooManyInstances(plugin) => Some(format!("plugins.{plugin}.instances")),
            _ => None,
        };
        match key.and_then(|key| self.place_of(&key)) {
            Some(place) => ConfigError::in_file(place, error),
            None => error,
        }
    }

    /// As [`located`](Self::located), if it is such a mistake.
    #[doc(hidden)]
    pub fn located_error(&self, error: Error) -> Error {
        match error {
            Error::Config(error) => self.located(error).into(),
            error => error,
        }
    }

    /// The key of the override of a callback.
    #[doc(hidden)]
    pub fn key_of_override(&self, point: &str, callback: &str) -> Option<String> {
        let index = self.overrides.iter().position(|hook| hook.point == point && hook.callback == callback)?;
        Some(format!("overrides[{index}]"))
    }

    /// Refuses contradictory settings, rather than silently choosing one of two meanings.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.contradictions().into_iter().next() {
            Some(first) => Err(first),
            None => Ok(()),
        }
    }

    /// What is contradictory in it, each with its place.
    fn contradictions(&self) -> Vec<ConfigError> {
        let mut found = Vec::from_iter(self.check_paths().err());
        let mut meaningless = |key: String, why: &str| found.push(ConfigError::invalid_value(key, why));
        for (name, plugin) in &self.plugins {
            if !plugin.config.is_null() && !plugin.instances.is_empty() {
                meaningless(format!("plugins.{name}"), "has both `config` and `instances`: use one of the two");
            }
            if plugin.max_memory == Some(0) {
                meaningless(format!("plugins.{name}.max_memory"), "is 0: leave it out for no limit");
            }
            if let Some((key, why)) = plugin.worker.mistake() {
                meaningless(format!("plugins.{name}.worker.{key}"), why);
            }
            let is_good = |key: &str| {
                !key.is_empty()
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                    && !key.starts_with('.')
            };
            for key in plugin.instances.keys().filter(|key| !is_good(key)) {
                let key = format!("plugins.{name}.instances.{key:?}");
                meaningless(key, "is not a name: use letters, digits, `-`, `_` and `.`, no dot first");
            }
        }
        found.extend(CallbackOverride::check(&self.overrides).err());
        found.into_iter().map(|error| self.located(error)).collect()
    }

    /// The instances of a plugin, by name, each with its configuration.
    pub fn instances(&self, plugin: &str) -> Vec<(String, serde_json::Value)> {
        match self.plugins.get(plugin) {
            None => vec![(plugin.into(), serde_json::Value::Null)],
            Some(one) if one.instances.is_empty() => vec![(plugin.into(), one.config.clone())],
            Some(many) => {
                many.instances.iter().map(|(key, one)| (format!("{plugin}:{key}"), one.config.clone())).collect()
            }
        }
    }

    /// Whether any plugin has a memory limit.
    pub(crate) fn limits_memory(&self) -> bool {
        self.plugins.values().any(|plugin| plugin.max_memory.is_some())
    }

    /// How the library of a plugin is opened.
    pub(crate) fn opening(&self, plugin: &str) -> Opening {
        let configured = self.plugins.get(plugin);
        Opening {
            force_unload: configured.is_some_and(|plugin| plugin.force_unload),
            max_memory: configured.and_then(|plugin| plugin.max_memory),
        }
    }

    /// In which process a plugin runs, if this configuration decides that.
    #[doc(hidden)]
    pub fn placed(&self, plugin: &str) -> Option<Placed> {
        let process = self.plugins.get(plugin)?.isolation.clone()?;
        Some(Placed::new(process, PlacedBy::Host))
    }

    /// The limits of a plugin's worker.
    pub(crate) fn worker(&self, plugin: &str) -> WorkerLimits {
        self.plugins.get(plugin).map(|plugin| plugin.worker.clone()).unwrap_or_default()
    }

    /// Whether the plugin of an instance is required.
    pub(crate) fn is_required(&self, instance: &str) -> bool {
        let plugin = plugin_of(instance);
        self.plugins.get(plugin).is_some_and(|plugin| plugin.required)
    }

    /// The log level of a plugin, until an operator changes it.
    pub(crate) fn log(&self, plugin: &str) -> LogLevel {
        let own = self.plugins.get(plugin).and_then(|plugin| plugin.log_level);
        own.or(self.log_level).unwrap_or_else(log_level_of_program)
    }

    /// The operator's override of one callback, and who says it: this configuration, else `stored`.
    #[doc(hidden)]
    pub fn override_of<'a>(
        &'a self,
        stored: &'a [CallbackOverride],
        point: &str,
        instance: &str,
        callback: &str,
    ) -> Option<(&'a CallbackOverride, Origin)> {
        let is_it = |(hook, _): &(&CallbackOverride, Origin)| {
            hook.point == point && hook.callback.split_once('/') == Some((instance, callback))
        };
        let own = self.overrides.iter().map(|hook| (hook, Origin::Host));
        own.chain(stored.iter().map(|hook| (hook, Origin::Operator))).find(is_it)
    }

    /// Where plugins and running hosts keep their files: [`home`](Self::home) if it is set, else `$HOOKRAIL_HOME`, else
    /// `~/.hookrail`.
    pub fn home_dir(&self) -> PathBuf {
        let of_user = || std::env::home_dir().map(|home| home.join(".hookrail"));
        self.home.clone().or_else(home_of_environment).or_else(of_user).unwrap_or_else(|| ".hookrail".into())
    }
}

/// The key of the configuration of an instance.
pub(crate) fn key_of_instance(instance: &str) -> String {
    match instance.split_once(':') {
        Some((plugin, key)) => format!("plugins.{plugin}.instances.{key}.config"),
        None => format!("plugins.{instance}.config"),
    }
}

fn home_of_environment() -> Option<PathBuf> {
    std::env::var_os("HOOKRAIL_HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The level of this program's subscriber; [`Info`](LogLevel::Info) if there is none yet.
fn log_level_of_program() -> LogLevel {
    match LevelFilter::current() {
        LevelFilter::OFF | LevelFilter::INFO => LogLevel::Info,
        LevelFilter::ERROR => LogLevel::Error,
        LevelFilter::WARN => LogLevel::Warn,
        LevelFilter::DEBUG => LogLevel::Debug,
        LevelFilter::TRACE => LogLevel::Trace,
    }
}

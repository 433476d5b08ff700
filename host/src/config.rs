//! What an embedder or an operator configures: in code, or in `hookrail.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use hookrail_abi::{FaultPolicy, RawKind};
use serde::{Deserialize, Serialize};

use crate::diagnostics::LogLevel;
use crate::error::ConfigError;
use crate::stats::Level;

/// The configuration of a host. Everything has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Plugins by name: their file and their configuration.
    pub plugins: BTreeMap<String, PluginConfig>,
    /// What the operator changes about single callbacks.
    pub hooks: Vec<HookOverride>,
    /// What the operator changes about points, by name.
    pub points: BTreeMap<String, PointConfig>,
    /// What the operator says of faults, by the kind of the point.
    pub faults: Faults,
    /// When callbacks that fail are called no more.
    pub quarantine: Quarantine,
    /// What is watched while plugins run.
    pub limits: Limits,
    /// What the built-in callback of `message.publish` lets pass.
    pub message: MessageLimits,
    /// Where plugins keep their files; by default `$HOOKRAIL_HOME`, else `~/.hookrail`.
    pub home: Option<PathBuf>,
    /// How plugins are unloaded.
    pub unload: Unload,
    /// What holds when a new build takes the place of an old one.
    pub upgrade: UpgradeLimits,
    /// How much plugins tell of which nothing else is said; by default as much as the subscriber of
    /// this program wants to know when they are loaded, or `info` when there is none.
    pub log: Option<LogLevel>,
}

/// What is said of one plugin beside the host's configuration, while the host runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Configurations by instance; they go before those of the host's configuration.
    pub(crate) configs: BTreeMap<String, serde_json::Value>,
    /// About its callbacks; the host's configuration goes before them.
    pub(crate) hooks: Vec<HookOverride>,
}

/// One plugin's file and configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginConfig {
    /// Its library; by default looked for by name where the program looks for plugins.
    pub library: Option<PathBuf>,
    /// How many bytes it may hold, all its instances together, before its callbacks are quarantined;
    /// looked at where the plugin counts them.
    pub memory_max: Option<u64>,
    /// The configuration of its one instance, which has the plugin's name.
    pub config: serde_json::Value,
    /// Whether nothing passes without it: once it was loaded, and while it is stopped or unloaded, the
    /// host denies in the place of each of its callbacks whose fault denies.
    pub required: bool,
    /// Several instances instead, named `plugin:KEY`.
    pub instances: BTreeMap<String, InstanceConfig>,
    /// How much it tells.
    pub log: Option<LogLevel>,
}

/// One instance's configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceConfig {
    /// The configuration.
    pub config: serde_json::Value,
}

/// What the operator changes about one callback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookOverride {
    /// The point, for example `message.publish`.
    pub point: String,
    /// The callback, as `instance/callback`.
    pub callback: String,
    /// Another priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Leaves it out of the chain.
    #[serde(default)]
    pub disabled: bool,
    /// What its fault means, `open`, `closed` or `rollback`.
    #[serde(
        default,
        deserialize_with = "fault_policy",
        serialize_with = "fault_policy_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub fault: Option<FaultPolicy>,
    /// The time a call of it may take, in microseconds; looked at while its point is counted.
    #[serde(
        default,
        rename = "budget_us",
        deserialize_with = "microseconds",
        serialize_with = "as_microseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub budget: Option<Duration>,
}

impl HookOverride {
    /// Refuses a list that cannot be meant, whatever plugins there are.
    pub(crate) fn check(all: &[Self]) -> Result<(), ConfigError> {
        for (index, hook) in all.iter().enumerate() {
            let meaningless =
                |why: &str| Err(ConfigError::Meaningless { key: format!("hooks[{index}]"), why: why.into() });
            if !hook.callback.contains('/') {
                return meaningless("names its callback without its instance: write `instance/callback`");
            }
            let same = |other: &Self| (&other.point, &other.callback) == (&hook.point, &hook.callback);
            if all[..index].iter().any(same) {
                return meaningless("is about a callback that an entry before it is about");
            }
        }
        Ok(())
    }
}

/// What the operator changes about one point.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PointConfig {
    /// What a fault of its callbacks means, `open`, `closed` or `rollback`, where neither the callback
    /// nor an override of it says otherwise.
    #[serde(deserialize_with = "fault_policy")]
    pub fault: Option<FaultPolicy>,
    /// How closely its dispatches are looked at from the start: `off`, `count` or `histogram`.
    pub level: Level,
}

/// What a fault means on all points of a kind, `open`, `closed` or `rollback`, where neither the callback
/// nor the operator's word on the point says otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Of those whose callbacks look.
    #[serde(deserialize_with = "fault_policy")]
    pub notify: Option<FaultPolicy>,
    /// Of those whose callbacks edit.
    #[serde(deserialize_with = "fault_policy")]
    pub fold: Option<FaultPolicy>,
    /// Of those whose callbacks allow or deny.
    #[serde(deserialize_with = "fault_policy")]
    pub gate: Option<FaultPolicy>,
}

impl Faults {
    pub(crate) fn of(&self, kind: RawKind) -> Option<FaultPolicy> {
        match kind {
            RawKind::Notify => self.notify,
            RawKind::Fold => self.fold,
            RawKind::Gate => self.gate,
        }
    }
}

/// When a callback that fails is called no more, and when it is tried again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quarantine {
    /// With how many faults within the time; 0 for never.
    pub faults: usize,
    /// The time, in milliseconds.
    #[serde(rename = "within_ms", deserialize_with = "milliseconds")]
    pub within: Duration,
    /// After how long one dispatch calls it again, in milliseconds: when that goes well, all do; 0 for
    /// never.
    #[serde(rename = "pause_ms", deserialize_with = "milliseconds")]
    pub pause: Duration,
}

impl Default for Quarantine {
    fn default() -> Self {
        Quarantine { faults: 10, within: Duration::from_secs(10), pause: Duration::from_secs(30) }
    }
}

/// What is watched while plugins run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long a call of a callback may take before it is reported as stuck, in milliseconds; 0 for
    /// no such watch.
    #[serde(rename = "stuck_ms", deserialize_with = "milliseconds")]
    pub stuck: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { stuck: Duration::from_secs(30) }
    }
}

/// What the built-in callback of `message.publish` lets pass.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageLimits {
    /// The longest body, in bytes.
    pub max_body: usize,
    /// The longest topic, in bytes.
    pub max_topic: usize,
    /// The most headers.
    pub max_headers: usize,
}

impl Default for MessageLimits {
    fn default() -> Self {
        MessageLimits { max_body: 16 << 20, max_topic: 1024, max_headers: 256 }
    }
}

/// How plugins are unloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unload {
    /// How long to wait for threads: for readers, before the plugin's code is taken out of the chains
    /// they may still walk; and for the destructors and threads of a plugin, before those of idle
    /// threads are given up and the rest goes on in the background. In milliseconds.
    #[serde(rename = "deadline_ms", deserialize_with = "milliseconds")]
    pub deadline: Duration,
    /// Plugins whose wish never to be removed (`-z nodelete`) is taken out of the private copy.
    pub force: BTreeSet<String>,
}

impl Default for Unload {
    fn default() -> Self {
        Unload { deadline: Duration::from_secs(5), force: BTreeSet::new() }
    }
}

/// What holds when a new build takes the place of an old one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpgradeLimits {
    /// The longest state of one instance that is handed over, in bytes.
    pub max_state: usize,
    /// How long a new generation is on probation, in milliseconds.
    #[serde(rename = "probation_ms", deserialize_with = "milliseconds")]
    pub probation: Duration,
    /// With how many faults on probation it is rolled back; 0 for no probation.
    pub probation_faults: u64,
}

impl Default for UpgradeLimits {
    fn default() -> Self {
        UpgradeLimits { max_state: 64 << 20, probation: Duration::from_secs(10), probation_faults: 3 }
    }
}

impl Config {
    /// Reads a configuration file. Paths of libraries in it are relative to the file.
    #[cfg(feature = "config-file")]
    pub fn read(file: impl AsRef<std::path::Path>) -> Result<Self, crate::Error> {
        use crate::error::Error;
        let file = file.as_ref();
        let text = std::fs::read_to_string(file)
            .map_err(|source| Error::System { what: format!("read {}", file.display()), source })?;
        let mut config: Config = toml::from_str(&text)
            .map_err(|error| ConfigError::File { file: file.into(), why: error.to_string().trim_end().into() })?;
        let folder = file.parent().unwrap_or(std::path::Path::new(""));
        for library in config.plugins.values_mut().filter_map(|plugin| plugin.library.as_mut()) {
            *library = folder.join(&library);
        }
        Ok(config)
    }

    /// Refuses what cannot be meant: better than choosing one of two meanings in silence.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let meaningless = |key: String, why: &str| Err(ConfigError::Meaningless { key, why: why.into() });
        for (name, plugin) in &self.plugins {
            if !plugin.config.is_null() && !plugin.instances.is_empty() {
                return meaningless(format!("plugins.{name}"), "has both `config` and `instances`: use one of the two");
            }
            if plugin.memory_max == Some(0) {
                return meaningless(format!("plugins.{name}.memory_max"), "is 0: leave it out for no limit");
            }
            let is_good = |key: &str| {
                !key.is_empty()
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                    && !key.starts_with('.')
            };
            if let Some(key) = plugin.instances.keys().find(|key| !is_good(key)) {
                let key = format!("plugins.{name}.instances.{key:?}");
                return meaningless(key, "is no name: use letters, digits, `-`, `_` and `.`, no dot first");
            }
        }
        HookOverride::check(&self.hooks)
    }

    /// The instances of a plugin, by name, with their configuration.
    pub(crate) fn instances(&self, plugin: &str) -> Vec<(String, serde_json::Value)> {
        match self.plugins.get(plugin) {
            None => vec![(plugin.into(), serde_json::Value::Null)],
            Some(one) if one.instances.is_empty() => vec![(plugin.into(), one.config.clone())],
            Some(many) => {
                many.instances.iter().map(|(key, one)| (format!("{plugin}:{key}"), one.config.clone())).collect()
            }
        }
    }

    /// Whether the plugin of an instance is required.
    pub(crate) fn is_required(&self, instance: &str) -> bool {
        let plugin = plugin_of(instance);
        self.plugins.get(plugin).is_some_and(|plugin| plugin.required)
    }

    /// How much a plugin tells, until somebody says otherwise.
    pub(crate) fn log(&self, plugin: &str) -> LogLevel {
        let own = self.plugins.get(plugin).and_then(|plugin| plugin.log);
        own.or(self.log).unwrap_or_else(LogLevel::of_program)
    }

    /// The operator's word on one callback: here, else among those that were wished.
    pub(crate) fn hook<'a>(
        &'a self,
        wished: &'a [HookOverride],
        point: &str,
        instance: &str,
        callback: &str,
    ) -> Option<&'a HookOverride> {
        let is_it =
            |hook: &&HookOverride| hook.point == point && hook.callback.split_once('/') == Some((instance, callback));
        self.hooks.iter().chain(wished).find(is_it)
    }

    /// Where plugins and running hosts keep their files: what [`home`](Self::home) says, else
    /// `$HOOKRAIL_HOME`, else `~/.hookrail`.
    pub fn home(&self) -> PathBuf {
        let from_environment = || std::env::var_os("HOOKRAIL_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let from_user = || std::env::home_dir().map(|home| home.join(".hookrail"));
        self.home.clone().or_else(from_environment).or_else(from_user).unwrap_or_else(|| ".hookrail".into())
    }
}

/// The plugin of an instance: `mask` of `mask:logs`.
pub(crate) fn plugin_of(instance: &str) -> &str {
    instance.split_once(':').map_or(instance, |(plugin, _)| plugin)
}

fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn microseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_micros))
}

fn as_microseconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_micros() as u64).serialize(serializer)
}

fn fault_policy_name<S: serde::Serializer>(policy: &Option<FaultPolicy>, serializer: S) -> Result<S::Ok, S::Error> {
    policy.map(FaultPolicy::name).serialize(serializer)
}

fn fault_policy<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<FaultPolicy>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None => Ok(None),
        Some("open") => Ok(Some(FaultPolicy::Open)),
        Some("closed") => Ok(Some(FaultPolicy::Closed)),
        Some("rollback") => Ok(Some(FaultPolicy::Rollback)),
        Some(other) => Err(serde::de::Error::unknown_variant(other, &["open", "closed", "rollback"])),
    }
}

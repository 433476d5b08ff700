//! Reading the configuration again while messages flow: pipelines, and the configurations of plugins. A mistake changes
//! nothing.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use hookrail::control::command::{ReloadConfig, ReloadedConfig};
use hookrail::control::{self, Manager};
use hookrail::stream::Streams;
use hookrail::{Config, Host};
use serde_json::{Value, json};

use super::default;
use crate::plugins::Finder;
use crate::{config, plugins, settings, stderr};

/// What reads the configuration again.
pub(super) struct Reloading {
    host: Weak<Host>,
    streams: Weak<Streams>,
    drain: Duration,
    /// The configuration in effect.
    current: Mutex<Config>,
}

impl Reloading {
    pub(super) fn new(host: &Arc<Host>, streams: &Arc<Streams>, drain: Duration) -> Arc<Self> {
        let current = Mutex::new(host.config().clone());
        Arc::new(Reloading { host: Arc::downgrade(host), streams: Arc::downgrade(streams), drain, current })
    }

    pub(super) fn register(self: &Arc<Self>, manager: &Manager) {
        let reloading = self.clone();
        manager.register(move |_, _: ReloadConfig| reloading.reload());
    }

    /// Does it for a signal, and says what came of it.
    pub(super) fn hang_up(&self) {
        match self.reload() {
            Ok(done) => stderr::lines(format!("the configuration was read again:\n{}", config::reloaded(&done))),
            Err(error) => tracing::error!("the configuration stays as it was: {error}; fix: {}", error.fix()),
        }
    }

    fn reload(&self) -> Result<ReloadedConfig, control::Error> {
        let mut done = ReloadedConfig::default();
        let (Some(host), Some(streams)) = (self.host.upgrade(), self.streams.upgrade()) else { return Ok(done) };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = settings::read()?.config;
        if new.pipelines.is_empty() {
            default::add(&mut new);
        }
        done.needs_restart = fixed(&current, &new);
        load_used(&host, &new, &mut done)?;
        let changed = instances(&host, &current, &new);
        let mut given = Vec::new();
        for (instance, before, value) in changed {
            if let Err(error) = host.reload(&instance, &value) {
                undo(&host, &given);
                return Err(error.into());
            }
            done.changed.push(format!("{instance} has another configuration"));
            given.push((instance, before));
        }
        match streams.apply(&new.pipelines, Instant::now() + self.drain) {
            Ok(pipelines) => done.changed.extend(pipelines),
            Err(error) => {
                undo(&host, &given);
                return Err(error.into());
            }
        }
        *current = new;
        Ok(done)
    }
}

/// Gives instances what they had before.
fn undo(host: &Host, given: &[(String, Value)]) {
    for (instance, before) in given {
        if let Err(error) = host.reload(instance, before) {
            tracing::error!(instance, "it keeps its new configuration: {error}");
        }
    }
}

/// The running instances whose configuration in the file has changed: before, and now.
fn instances(host: &Host, before: &Config, now: &Config) -> Vec<(String, Value, Value)> {
    let running: Vec<_> = host.plugin_views().into_iter().flat_map(|plugin| plugin.instances).collect();
    let mut changed = Vec::new();
    for plugin in now.plugins.keys() {
        let old = before.instances(plugin);
        for (instance, value) in now.instances(plugin) {
            let known = old.iter().find(|(name, _)| *name == instance).map(|(_, value)| value);
            if let Some(known) = known.filter(|known| **known != value && running.contains(&instance)) {
                changed.push((instance, given(known), given(&value)));
            }
        }
    }
    changed
}

fn given(value: &Value) -> Value {
    if value.is_null() { json!({}) } else { value.clone() }
}

/// Loads the plugins that pipelines use now, and that came with the program.
fn load_used(host: &Host, config: &Config, done: &mut ReloadedConfig) -> Result<(), control::Error> {
    let loaded: Vec<_> = host.plugin_views().into_iter().map(|plugin| plugin.name).collect();
    for plugin in plugins::used(config).into_iter().filter(|plugin| !loaded.contains(plugin)) {
        if let Ok(file) = Finder::new(&[]).find(&plugin) {
            // SAFETY: it lies beside the program, or where the operator has it look, and is trusted as it is.
            unsafe { host.load(file)? };
            done.changed.push(format!("{plugin} is loaded"));
        }
    }
    Ok(())
}

/// The keys that differ, and that are read only when a host is started.
fn fixed(before: &Config, now: &Config) -> Vec<String> {
    let differs = [
        ("overrides", before.overrides != now.overrides),
        ("points", before.points != now.points),
        ("fault_policies", before.fault_policies != now.fault_policies),
        ("quarantine", before.quarantine != now.quarantine),
        ("limits", before.limits != now.limits),
        ("health", before.health != now.health),
        ("message", before.message != now.message),
        ("home", before.home != now.home),
        ("unload", before.unload != now.unload),
        ("upgrade", before.upgrade != now.upgrade),
        ("log_level", before.log_level != now.log_level),
    ];
    let keys = differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key.to_owned());
    let settings = |config: &Config, plugin: &str| {
        config.plugins.get(plugin).map(|plugin| {
            let mut plugin = plugin.clone();
            (plugin.config, plugin.instances) = (Value::Null, Default::default());
            plugin
        })
    };
    let names = before.plugins.keys().chain(now.plugins.keys().filter(|name| !before.plugins.contains_key(*name)));
    let plugins = names.filter(|name| settings(before, name) != settings(now, name));
    keys.chain(plugins.map(|name| format!("plugins.{name}"))).collect()
}

//! Reading the configuration again while messages flow: the configurations of plugins, and pipelines if the program runs
//! some. A mistake changes nothing.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use hookrail::control::command::{ReloadConfig, ReloadedConfig};
use hookrail::control::{self, Manager};
use hookrail::stream::Streams;
use hookrail::{Config, Former, Host, PluginHandle, secrets};
use serde_json::Value;
use signal_hook::iterator::Signals;

use crate::error::Error;
use crate::plugins::Finder;
use crate::{config, plugins, settings, stderr};

/// What a program makes of each configuration that is read.
pub(crate) type Amend = Arc<dyn Fn(&mut Config) + Send + Sync>;

/// What reads the configuration again.
pub(crate) struct Reloading {
    host: Weak<Host>,
    /// Of a program that runs pipelines.
    streams: Option<Weak<Streams>>,
    drain: Duration,
    amend: Amend,
    /// The configuration in effect.
    current: Mutex<Config>,
}

impl Reloading {
    pub(crate) fn new(host: &Arc<Host>, streams: Option<&Arc<Streams>>, drain: Duration, amend: Amend) -> Arc<Self> {
        let current = Mutex::new(host.config().clone());
        Arc::new(Reloading { host: Arc::downgrade(host), streams: streams.map(Arc::downgrade), drain, amend, current })
    }

    pub(crate) fn register(self: &Arc<Self>, manager: &Manager) {
        let reloading = self.clone();
        manager.register(move |_, _: ReloadConfig| reloading.reload());
    }

    /// Does it at each of these signals, if the program hears them, on a thread of its own.
    pub(crate) fn at_each(self: &Arc<Self>, hang_ups: Option<Signals>) -> Result<(), Error> {
        let Some(mut hang_ups) = hang_ups else { return Ok(()) };
        let reloading = self.clone();
        let listen = move || hang_ups.forever().for_each(|_| reloading.hang_up());
        let spawned = std::thread::Builder::new().name("reload".into()).spawn(listen);
        spawned.map(drop).map_err(|cause| Error::system("start a thread", cause))
    }

    /// Does it for a signal, and says what came of it.
    fn hang_up(&self) {
        match self.reload() {
            Ok(done) => stderr::lines(format!("the configuration was read again:\n{}", config::reloaded(&done))),
            Err(error) => tracing::error!("the configuration stays as it was: {error}; fix: {}", error.fix()),
        }
    }

    fn reload(&self) -> Result<ReloadedConfig, control::Error> {
        let mut done = ReloadedConfig::default();
        let Some(host) = self.host.upgrade() else { return Ok(done) };
        let streams = self.streams.as_ref().and_then(Weak::upgrade);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = settings::read()?.config;
        (self.amend)(&mut new);
        // Before anything is changed: a file of a secret that cannot be read is a mistake like another.
        new.clone().with_secrets()?;
        done.needs_restart = fixed(&current, &new);
        let mut begun = Begun { host: &host, loaded: Vec::new(), given: Vec::new() };
        match begun.change(streams.as_deref(), (&current, &new), Instant::now() + self.drain, &mut done) {
            Ok(()) => {
                *current = new;
                Ok(done)
            }
            Err(error) => {
                begun.undo();
                Err(error)
            }
        }
    }
}

/// What was changed so far.
struct Begun<'a> {
    host: &'a Host,
    loaded: Vec<PluginHandle>,
    /// What instances had that were given another configuration.
    given: Vec<Former>,
}

impl Begun<'_> {
    /// Changes plugins and pipelines; says in `done` what has changed.
    fn change(
        &mut self,
        streams: Option<&Streams>,
        (before, now): (&Config, &Config),
        deadline: Instant,
        done: &mut ReloadedConfig,
    ) -> Result<(), control::Error> {
        if streams.is_some() {
            self.load_used(now, done)?;
        }
        for (instance, value) in instances(self.host, before, now) {
            let reloaded = self.host.reload_of_file(&instance, &value);
            self.given.push(reloaded.map_err(|error| now.located_error(error))?);
            done.changed.push(format!("{instance} has another configuration"));
        }
        if let Some(streams) = streams {
            let applied = streams.apply(&now.pipelines, deadline);
            done.changed.extend(applied.map_err(|error| now.located_error(error))?);
        }
        Ok(())
    }

    /// Loads the plugins that pipelines use now, and that came with the program.
    fn load_used(&mut self, config: &Config, done: &mut ReloadedConfig) -> Result<(), control::Error> {
        let loaded: Vec<_> = self.host.plugin_views().into_iter().map(|plugin| plugin.name).collect();
        for plugin in plugins::used(config).into_iter().filter(|plugin| !loaded.contains(plugin)) {
            if let Ok(file) = Finder::new(&[]).find(&plugin) {
                // SAFETY: it lies beside the program, or where the operator has it look, and is trusted as it is.
                self.loaded.push(unsafe { self.host.load(file)? });
                done.changed.push(format!("{plugin} is loaded"));
            }
        }
        Ok(())
    }

    /// Gives instances what they had before, and unloads what was loaded.
    fn undo(self) {
        for former in &self.given {
            if let Err(error) = self.host.core().restore(former) {
                tracing::error!(instance = former.instance, "it keeps its new configuration: {error}");
            }
        }
        for plugin in &self.loaded {
            if let Err(error) = self.host.unload(plugin) {
                tracing::error!("what was loaded for the new configuration stays: {error}");
            }
        }
    }
}

/// The running instances of which the file says something else now, or which were given secrets that are others now.
fn instances(host: &Host, before: &Config, now: &Config) -> Vec<(String, Value)> {
    let running: Vec<_> = host.plugin_views().into_iter().flat_map(|plugin| plugin.instances).collect();
    let mut changed = Vec::new();
    for plugin in now.plugins.keys() {
        let old = before.instances(plugin);
        for (instance, value) in now.instances(plugin) {
            let known = old.iter().find(|(name, _)| *name == instance).map(|(_, value)| value);
            let given = || host.core().given_secrets(&instance);
            let has_others = || given().is_some_and(|given| secrets::fingerprint(&value) != Some(given));
            let differs = known.is_some_and(|known| *known != value || has_others());
            if differs && running.contains(&instance) {
                changed.push((instance, value));
            }
        }
    }
    changed
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
    let keys = keys.chain(plugins.map(|name| format!("plugins.{name}")));
    let instances = |config: &Config, plugin: &str| {
        config.plugins.get(plugin).map(|plugin| plugin.instances.keys().cloned().collect::<Vec<_>>())
    };
    let known = before.plugins.keys().filter(|name| now.plugins.contains_key(*name));
    let others = known.filter(|name| instances(before, name) != instances(now, name));
    keys.chain(others.map(|name| format!("plugins.{name}.instances"))).collect()
}

//! The plugins of a worker: what the host asks for is done to a body in this process.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hookrail_engine::{Body, Configured, InProcess, Opening, Points, Saved, Writable};
use hookrail_image::{SealedCopy, inspect_copy};
use hookrail_loader::PluginDiagnostics;
use hookrail_model::error::Error;
use hookrail_model::log_level::LogLevel;
use parking_lot::Mutex;

use super::bus::{self, Bus};
use super::callbacks::Callbacks;
use super::configs::{self, Configs};
use super::counts;
use super::dispatch::{self, Dispatches};
use super::endpoints::Endpoints;
use super::lanes::Lanes;
use super::recorder::Recorder;
use super::units::{self, Units};
use crate::wire::{Answer, Ask, PluginId, Sender, ToHost};

/// The plugins of this worker, by number.
pub(super) struct Plugins {
    by_number: BTreeMap<PluginId, InProcess>,
    levels: Arc<Levels>,
    callbacks: Arc<Callbacks>,
    lanes: Arc<Lanes>,
    asks: Asks,
    /// What each plugin dispatches.
    points: BTreeMap<PluginId, Arc<dyn Points>>,
    /// Those of all plugins.
    endpoints: Endpoints,
    host: Arc<Sender>,
}

/// What instances ask of the host.
pub(super) struct Asks {
    pub(super) bus: Arc<Bus>,
    pub(super) configs: Arc<Configs>,
    pub(super) dispatches: Arc<Dispatches>,
    pub(super) units: Arc<Units>,
}

/// How much each plugin reports, and what it does not show.
#[derive(Default)]
pub(super) struct Levels(Mutex<BTreeMap<PluginId, Arc<PluginDiagnostics>>>);

impl Levels {
    pub(super) fn set(&self, plugin: PluginId, level: LogLevel) {
        let diagnostics = self.0.lock().get(&plugin).cloned();
        // Without the lock, since it calls the plugin.
        if let Some(diagnostics) = diagnostics {
            diagnostics.set_level(level);
        }
    }

    pub(super) fn hide(&self, plugin: PluginId, secrets: &[String]) {
        if let Some(diagnostics) = self.0.lock().get(&plugin) {
            diagnostics.hide(secrets);
        }
    }
}

impl Plugins {
    pub(super) fn new(host: Arc<Sender>, callbacks: Arc<Callbacks>, lanes: Arc<Lanes>, asks: Asks) -> Self {
        let (by_number, levels, points, endpoints) = Default::default();
        Plugins { by_number, levels, callbacks, lanes, asks, points, endpoints, host }
    }

    pub(super) fn levels(&self) -> Arc<Levels> {
        self.levels.clone()
    }

    /// Does what the host asks for.
    pub(super) fn obey(&mut self, ask: Ask, descriptor: Option<OwnedFd>) -> Result<Answer, Error> {
        match ask {
            Ask::Open { plugin, file, force_unload } => self.open(plugin, &file, force_unload, descriptor),
            Ask::Close { plugin, patience } => {
                let body = self.by_number.remove(&plugin).ok_or_else(unknown)?;
                self.levels.0.lock().remove(&plugin);
                self.points.remove(&plugin);
                let host = self.host.clone();
                let closed = Box::new(body).close(Instant::now() + patience, &mut |end| {
                    // What is not heard changes nothing here.
                    let _ = host.send(&ToHost::Waits(plugin, end), &[]);
                    true
                });
                let (skipped, unfreed_memory) = (closed.skipped as u64, closed.unfreed_memory);
                Ok(Answer::Closed { end: closed.end, skipped, unfreed_memory })
            }
            Ask::Begin { plugin, generation, level, secrets } => {
                let diagnostics = self.body(plugin)?.diagnostics();
                diagnostics.hide(&secrets);
                diagnostics.begin(generation, level);
                Ok(Answer::Done)
            }
            Ask::Schema { plugin } => Ok(Answer::Schema(self.body(plugin)?.schema()?)),
            Ask::Create { plugin, instance, config, home } => {
                let Asks { bus, configs, dispatches, units } = &self.asks;
                let writable: Arc<dyn Writable> = Arc::new(configs::OfPlugin { plugin, configs: configs.clone() });
                let units: Arc<dyn hookrail_engine::Units> = Arc::new(units::OfPlugin { plugin, units: units.clone() });
                let of_plugin = || Arc::new(dispatch::OfPlugin::new(plugin, dispatches)) as _;
                let points = self.points.entry(plugin).or_insert_with(of_plugin).clone();
                let (home, attending) = (Path::new(&home), &bus::attending(plugin, bus));
                let (name, config, writable, units, points) = (&*instance, &*config, &writable, &units, &points);
                let configured = Configured { name, config, home, writable, units, points, attending };
                self.body(plugin)?.create(&configured)?;
                Ok(Answer::Done)
            }
            Ask::Start { plugin, instance, state } => {
                let state = state.map(Into::into);
                let body = self.by_number.get_mut(&plugin).ok_or_else(unknown)?;
                let mut recorder = Recorder::new(plugin, &instance, body.diagnostics().clone(), &self.callbacks);
                body.start(&instance, state.as_ref(), &mut recorder)?;
                Ok(Answer::Started(recorder.registered))
            }
            Ask::Reload { plugin, instance, config } => {
                self.body(plugin)?.reload(&instance, &config)?;
                Ok(Answer::Done)
            }
            Ask::Save { plugin, instance, changes, limit } => {
                let what = if changes { Saved::Changes } else { Saved::State };
                if changes {
                    // No callback runs any more.
                    self.lanes.drain();
                }
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let state = self.body(plugin)?.save(&instance, what, limit)?;
                Ok(Answer::Saved(state.as_ref().map(Into::into)))
            }
            Ask::ApplyChanges { plugin, instance, changes } => {
                self.body(plugin)?.apply_changes(&instance, &changes.into())?;
                Ok(Answer::Done)
            }
            Ask::Request { plugin, instance, request } => {
                Ok(Answer::Response(self.body(plugin)?.request(&instance, request)?))
            }
            Ask::Accept { plugin, instance, kind, name, config } => {
                let of = self.body(plugin)?.endpoints(&instance).ok_or_else(unknown)?;
                Ok(Answer::Accepted(self.endpoints.accept(&of, (plugin, instance), (kind, &name), &config)?))
            }
            Ask::EndpointSchema { plugin, kind, name, .. } => {
                Ok(Answer::Schema(self.body(plugin)?.endpoint_schema(kind, &name)?))
            }
            Ask::Run { endpoint, .. } => {
                self.endpoints.run(endpoint, descriptor)?;
                Ok(Answer::Done)
            }
            Ask::Free { endpoint, .. } => {
                self.endpoints.free(endpoint);
                Ok(Answer::Done)
            }
            Ask::Stop { plugin } => {
                self.endpoints.end(plugin);
                self.lanes.drain();
                self.callbacks.remove(plugin);
                self.body(plugin)?.stop();
                Ok(Answer::Done)
            }
            Ask::Leave { plugin } => {
                self.lanes.drain();
                self.callbacks.remove(plugin);
                // Threads of lanes leave what they have of the plugin when they end. Those that others still need run
                // it when they are called next, as threads of a host do.
                if self.by_number.len() == 1 {
                    self.lanes.end();
                }
                self.body(plugin)?.leave();
                Ok(Answer::Done)
            }
        }
    }

    fn open(
        &mut self,
        plugin: PluginId,
        file: &str,
        force_unload: bool,
        copy: Option<OwnedFd>,
    ) -> Result<Answer, Error> {
        let copy = copy.ok_or_else(unknown)?;
        let copy = SealedCopy::again(Path::new(file), copy.as_fd())?;
        let inspection = inspect_copy(&copy, ARCH)?;
        let opening = Opening { force_unload, max_memory: None };
        // SAFETY: the library can harm only this process, which is there for it.
        let body = unsafe { InProcess::open(copy, inspection, opening)? };
        let (meter, numbers) = (body.meter(), body.numbers());
        let counts_memory = meter.is_some();
        let infos = numbers.as_ref().map(|numbers| numbers.infos().to_vec()).unwrap_or_default();
        counts::watch(plugin, meter.as_ref(), numbers.as_ref(), &self.host);
        self.levels.0.lock().insert(plugin, body.diagnostics().clone());
        self.by_number.insert(plugin, body);
        Ok(Answer::Opened { counts_memory, numbers: infos })
    }

    fn body(&mut self, plugin: PluginId) -> Result<&mut InProcess, Error> {
        self.by_number.get_mut(&plugin).ok_or_else(unknown)
    }
}

/// What the host does not ask for.
fn unknown() -> Error {
    Error::system("find the plugin in its worker", std::io::ErrorKind::NotFound.into())
}

//! The subject of a check: the plugin, its configuration, and how thorough to be.

use std::fs::File;
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hookrail::catalogue::BUILT_IN;
use hookrail::stream::{NewStreams, Streams};
use hookrail::worker::Restarts;
use hookrail::{Config, EndpointKind, Host, Inspection, Isolation, NoteEndpoint, PluginHandle, WorkerLimits};
use serde_json::Value;

use super::answer::Not;
use super::copies;
use super::error::Error;
use super::known::Known;
use super::own::Own;
use super::random::Random;
use super::raw::Library;

/// The subject of a check, which runs in its own, initially empty directory.
pub(super) struct Subject {
    pub(super) file: PathBuf,
    /// The check's own directory.
    pub(super) directory: PathBuf,
    pub(super) inspection: Inspection,
    config: Config,
    seed: u64,
    is_quick: bool,
    /// Whether hosts have the plugin in a worker.
    is_across: bool,
    /// Whether a host has loaded it.
    was_loaded: AtomicBool,
    /// The check's current step is written there, to be read if it dies.
    doing: Option<File>,
}

/// What to do about a point that this program does not declare.
pub(super) const OF_ANOTHER: &str =
    "check it by a program that declares that point, see `Points of your own` in docs/check.md";

/// Whether a host of this program has that point.
pub(super) fn is_declared(point: &str) -> bool {
    BUILT_IN.iter().any(|built_in| built_in.name == point) || Known::named(point).is_some()
}

/// How long an unload waits for threads: none of them has a reason to stay.
const PATIENCE: Duration = Duration::from_secs(2);
const QUICK_PATIENCE: Duration = Duration::from_millis(500);
/// From a worker, where several processes have to get their turn for it.
const PATIENCE_ACROSS: Duration = Duration::from_secs(10);

/// Longer than any check may take.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);

/// A host of a check.
pub(super) struct Hosted {
    /// Dropped first: they are those of the host.
    pub(super) streams: Streams,
    host: Host,
}

impl Deref for Hosted {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Subject {
    pub(super) fn new(file: &Path, config: Option<&Path>, seed: u64, is_quick: bool) -> Result<Self, Error> {
        let inspection = hookrail::inspect(file)?;
        let mut config = config.map_or_else(|| Ok(Config::default()), Config::read)?.with_secrets()?;
        config.unload.deadline = if is_quick { QUICK_PATIENCE } else { PATIENCE };
        // Now, since the plugin may change the working directory.
        let directory =
            std::env::current_dir().map_err(|cause| Error::system("find out the directory to check in", cause))?;
        Ok(Subject {
            file: file.into(),
            directory,
            inspection,
            config,
            seed,
            is_quick,
            is_across: false,
            was_loaded: AtomicBool::new(false),
            doing: None,
        })
    }

    /// From now on the current step is written to that file.
    pub(super) fn tells(&mut self, doing: File) {
        self.doing = Some(doing);
    }

    /// From now on hosts have the plugin in a worker.
    pub(super) fn goes_across(&mut self) {
        self.is_across = true;
    }

    /// Whether hosts have the plugin in a worker.
    pub(super) fn is_across(&self) -> bool {
        self.is_across
    }

    /// Whether a host has loaded it.
    pub(super) fn was_loaded(&self) -> bool {
        self.was_loaded.load(Ordering::Relaxed)
    }

    /// The limits of its worker.
    pub(super) fn limits(&self) -> WorkerLimits {
        self.config.plugins.get(self.name()).map(|plugin| plugin.worker.clone()).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        &self.inspection.note.name
    }

    /// How often to repeat something that a thorough check repeats `thorough` times.
    pub(super) fn times(&self, thorough: usize) -> usize {
        if self.is_quick { (thorough / 50).max(2) } else { thorough }
    }

    pub(super) fn is_quick(&self) -> bool {
        self.is_quick
    }

    pub(super) fn random(&self, check: &str) -> Random {
        Random::new(self.seed, check)
    }

    /// Records the next step, so that it is known if the step never returns.
    pub(super) fn doing(&self, what: &str) {
        copies::end();
        let Some(file) = &self.doing else { return };
        let line = format!("{what:.200}\n");
        // If it cannot be written, less is known; nothing else is lost.
        let _ = file.set_len(0).and_then(|()| file.write_all_at(line.as_bytes(), 0));
    }

    /// The configuration of the first instance, as JSON.
    pub(super) fn config(&self) -> String {
        let plugin = self.config.plugins.get(self.name());
        let value = plugin.map(|plugin| plugin.instances.values().next().map_or(&plugin.config, |one| &one.config));
        value.filter(|value| !value.is_null()).map_or_else(|| "{}".into(), ToString::to_string)
    }

    /// The configuration of an endpoint, as JSON: that of the first pipeline which uses it, else an empty one.
    pub(super) fn endpoint_config(&self, endpoint: &NoteEndpoint) -> String {
        let config = self.use_of(endpoint).filter(|config| !config.is_null());
        config.map_or_else(|| "{}".into(), ToString::to_string)
    }

    /// Whether a pipeline of the configuration uses an endpoint.
    pub(super) fn is_configured(&self, endpoint: &NoteEndpoint) -> bool {
        self.use_of(endpoint).is_some()
    }

    fn use_of(&self, endpoint: &NoteEndpoint) -> Option<&Value> {
        let is_only = self.inspection.note.endpoints.iter().filter(|other| other.kind == endpoint.kind).count() == 1;
        let is_it = |uses: &str| {
            let (instance, name) = uses.split_once('/').map_or((uses, None), |(instance, name)| (instance, Some(name)));
            let plugin = instance.split_once(':').map_or(instance, |(plugin, _)| plugin);
            plugin == self.name() && name.map_or(is_only, |name| name == endpoint.name)
        };
        self.config.pipelines.values().find_map(|pipeline| match endpoint.kind {
            EndpointKind::Sink => pipeline.sinks.values().find(|sink| is_it(&sink.uses)).map(|sink| &sink.config),
            EndpointKind::Source => {
                pipeline.sources.values().find(|source| is_it(&source.uses)).map(|source| &source.config)
            }
        })
    }

    /// A host with the configuration, whose plugins keep their files in the check's own directory, and find a bus.
    pub(super) fn host(&self) -> Result<Hosted, Not> {
        self.host_with(|_| {})
    }

    /// As [`host`](Self::host), whose pipelines have what `offer` offers them.
    pub(super) fn host_with(&self, offer: impl FnOnce(&mut NewStreams)) -> Result<Hosted, Not> {
        let mut config = self.config.clone();
        config.home = Some(self.directory.clone());
        let plugin = config.plugins.entry(self.name().into()).or_default();
        // Whatever the file and the note say.
        plugin.isolation = Some(if self.is_across { Isolation::WORKER } else { Isolation::InProcess });
        if self.is_across {
            config.unload.deadline = PATIENCE_ACROSS;
        }
        // Whoever runs the check decides how long anything may take, and one crash is enough.
        (plugin.worker.deadline, plugin.worker.patience) = (FOREVER, FOREVER);
        plugin.worker.restarts = Restarts::default().with_limit(1);
        let host = Host::new(config)?;
        for own in Own::all() {
            own.declare(&host)?;
        }
        let mut streams = Streams::of(&host)?;
        offer(&mut streams);
        Ok(Hosted { streams: streams.begin(&host)?, host })
    }

    pub(super) fn load(&self, host: &Host) -> Result<PluginHandle, Not> {
        self.load_file(host, &self.file)
    }

    pub(super) fn load_file(&self, host: &Host, file: &Path) -> Result<PluginHandle, Not> {
        if let Some(hook) = self.inspection.note.hooks.iter().find(|hook| !is_declared(&hook.point)) {
            return Err(Not::Skipped(format!("it hooks {}: {OF_ANOTHER}", hook.point)));
        }
        // SAFETY: whoever asks for the check trusts the library as this program.
        let loaded = unsafe { host.load(file) };
        copies::end();
        let plugin = loaded?;
        self.was_loaded.store(true, Ordering::Relaxed);
        Ok(plugin)
    }

    /// The library opened by the driver, and attached.
    pub(super) fn driven(&self) -> Result<Library, Not> {
        let library = Library::open(&self.file)?;
        library.attach(&super::raw::TABLE).map_err(|refusal| refusal.to_string())?;
        Ok(library)
    }
}

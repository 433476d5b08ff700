//! A host with pipelines between a source of numbers and a sink that writes lines.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hookrail::stream::Streams;
use hookrail::{
    Config, HealthLimits, Host, Isolation, PipelineConfig, PipelineState, PipelineView, PluginConfig, PluginHandle,
    QueueConfig, SinkConfig, SourceConfig, WorkerLimits,
};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::zoo;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The plugin of the zoo.
pub(super) const PLUGIN: &str = "sends-and-takes";

/// Fields are dropped in this order.
pub(super) struct Pipes {
    pub(super) streams: Streams,
    pub(super) host: Host,
    pub(super) plugin: PluginHandle,
    pub(super) home: TempDir,
}

impl Pipes {
    /// With the plugin, and no pipeline.
    pub(super) fn new() -> Self {
        Self::with(zoo("sends_and_takes"))
    }

    pub(super) fn with(library: PathBuf) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self::at(library, home)
    }

    /// With the plugin where that says.
    pub(super) fn isolated(isolation: Isolation) -> Self {
        Self::configured(PluginConfig::default().with_isolation(isolation).with_worker(limits()))
    }

    /// With the plugin configured so.
    pub(super) fn configured(plugin: PluginConfig) -> Self {
        Self::of(Config::default().with_plugin(PLUGIN, plugin), zoo("sends_and_takes"), tempfile::tempdir().unwrap())
    }

    pub(super) fn at(library: PathBuf, home: TempDir) -> Self {
        Self::of(Config::default(), library, home)
    }

    pub(super) fn of(config: Config, library: PathBuf, home: TempDir) -> Self {
        let mut config = config.with_home(home.path()).with_health(unasked());
        config.unload.deadline = LONG;
        let host = Host::new(config).unwrap();
        let streams = Streams::of(&host).unwrap().begin(&host).unwrap();
        // SAFETY: our own library.
        let plugin = unsafe { host.load(library) }.unwrap();
        Pipes { streams, host, plugin, home }
    }

    /// The file of a sink.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Makes the file that an endpoint waits for.
    pub(super) fn tell(&self, name: &str) {
        fs::write(self.file(name), "").unwrap();
    }

    /// What a sink has written.
    pub(super) fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.file(name)).unwrap_or_default().lines().map(Into::into).collect()
    }

    /// A sink that writes to the file with that name, with more configuration.
    pub(super) fn sink(&self, name: &str, more: Value, queue: QueueConfig) -> SinkConfig {
        let mut config = json!({ "file": self.file(name) });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        SinkConfig::new(PLUGIN).with_config(config).with_queue(queue)
    }

    /// Starts a pipeline with one source and one sink.
    pub(super) fn start(&self, source: Value, sink: SinkConfig) {
        self.start_one(pipeline(source, sink));
    }

    pub(super) fn start_one(&self, config: PipelineConfig) {
        self.streams.add("p", &config).unwrap();
        self.streams.start("p").unwrap();
    }

    pub(super) fn view(&self) -> PipelineView {
        self.streams.view("p").unwrap()
    }

    /// Waits until the source has nothing more to send, and all is delivered or dropped.
    pub(super) fn finish(&self) -> PipelineView {
        eventually("the pipeline is done", || self.streams.are_done());
        adds_up(&self.stop())
    }

    /// Stops the pipeline, with time for everything.
    pub(super) fn stop(&self) -> PipelineView {
        self.streams.stop("p", Instant::now() + LONG).unwrap();
        let view = self.view();
        assert_eq!(view.state, PipelineState::Stopped);
        view
    }
}

/// Limits that no worker is to reach since its machine is busy.
pub(super) fn limits() -> WorkerLimits {
    WorkerLimits::default().with_deadline(LONG).with_patience(LONG)
}

/// Nobody is asked how it is: a worker on a busy machine may be too late to say so, and is ended then.
pub(super) fn unasked() -> HealthLimits {
    HealthLimits::default().with_every(Duration::ZERO)
}

/// One source and one sink.
pub(super) fn pipeline(source: Value, sink: SinkConfig) -> PipelineConfig {
    PipelineConfig::default().with_source("in", SourceConfig::new(PLUGIN).with_config(source)).with_sink("out", sink)
}

/// In = delivered + dropped by reason + held.
pub(super) fn adds_up(view: &PipelineView) -> PipelineView {
    assert_eq!(view.miscount(), None, "{view:?}");
    view.clone()
}

/// The numbers below that one.
pub(super) fn numbers(until: u64) -> Vec<String> {
    (0..until).map(|number| number.to_string()).collect()
}

/// A little while, for what is to be under way.
pub(super) const SOON: Duration = Duration::from_millis(20);

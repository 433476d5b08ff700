//! Pipelines: what an operator writes of them, and what is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::units::fields;
use crate::{constructors, setters};

/// What an operator says of one pipeline: `[pipelines.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PipelineConfig {
    /// Where its messages come from, by names of the operator's.
    pub sources: BTreeMap<String, SourceConfig>,
    /// Where they go, by names of the operator's.
    pub sinks: BTreeMap<String, SinkConfig>,
}

/// One source of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SourceConfig {
    /// The source: `INSTANCE` of a plugin that has one source, `INSTANCE/SOURCE`, or one of the program's own.
    #[serde(rename = "use")]
    pub uses: String,
    /// The configuration of this use.
    pub config: Value,
}

/// One sink of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SinkConfig {
    /// The sink, as for a source.
    #[serde(rename = "use")]
    pub uses: String,
    /// The configuration of this use.
    pub config: Value,
    /// The patterns of topics that it takes; without any it takes all.
    pub topics: Vec<String>,
    /// The headers that a message must have, with their values.
    pub headers: BTreeMap<String, String>,
    /// The queue before it.
    pub queue: QueueConfig,
}

/// The queue before a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct QueueConfig {
    /// What happens when it is full.
    pub policy: QueuePolicy,
    /// How many messages it holds; those of `spill` that are only on disk do not count.
    pub capacity: usize,
    /// How many bytes of memory its messages may take; it is full at that, whatever their number. It takes a message as long
    /// as they take less, so a single one may be larger.
    #[serde(deserialize_with = "fields::size")]
    pub memory: u64,
    /// For `latest_per_key`: the header whose value is the key; without it the topic is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// For `spill`: how many bytes it may have on disk; without it, 1 GiB.
    #[serde(deserialize_with = "fields::optional_size", skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// What happens to a message for which a queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QueuePolicy {
    /// Its source waits.
    #[default]
    Block,
    /// It is dropped.
    DropNewest,
    /// The oldest one in the queue is dropped.
    DropOldest,
    /// A message takes the place of one with the same key that is still in the queue, full or not; if it is full of other
    /// keys, the oldest one is dropped.
    LatestPerKey,
    /// Each message is written to disk when it comes, and survives the host; when the disk has no more room, its source
    /// waits.
    Spill,
}

impl QueuePolicy {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            QueuePolicy::Block => "block",
            QueuePolicy::DropNewest => "drop_newest",
            QueuePolicy::DropOldest => "drop_oldest",
            QueuePolicy::LatestPerKey => "latest_per_key",
            QueuePolicy::Spill => "spill",
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig { policy: QueuePolicy::default(), capacity: 1024, memory: 64 << 20, key: None, size: None }
    }
}

impl QueueConfig {
    /// How many bytes it may have on disk.
    pub fn size(&self) -> u64 {
        self.size.unwrap_or(1 << 30)
    }
}

setters!(QueueConfig {
    with_policy(policy: QueuePolicy),
    with_capacity(capacity: usize),
    with_memory(memory: u64),
    with_size(size: Option<u64>),
});

setters!(SourceConfig { with_config(config: Value) });

setters!(SinkConfig {
    with_config(config: Value),
    with_topics(topics: Vec<String>),
    with_headers(headers: BTreeMap<String, String>),
    with_queue(queue: QueueConfig),
});

impl PipelineConfig {
    /// Adds a source.
    #[must_use]
    pub fn with_source(mut self, name: impl Into<String>, source: SourceConfig) -> Self {
        self.sources.insert(name.into(), source);
        self
    }

    /// Adds a sink.
    #[must_use]
    pub fn with_sink(mut self, name: impl Into<String>, sink: SinkConfig) -> Self {
        self.sinks.insert(name.into(), sink);
        self
    }
}

impl SourceConfig {
    /// One that uses that source, with its default configuration.
    pub fn new(uses: impl Into<String>) -> Self {
        SourceConfig { uses: uses.into(), ..Self::default() }
    }
}

impl SinkConfig {
    /// One that uses that sink, with its default configuration.
    pub fn new(uses: impl Into<String>) -> Self {
        SinkConfig { uses: uses.into(), ..Self::default() }
    }
}

/// A pipeline, as it is now.
///
/// Messages add up: those that were received were denied, wanted by no sink, or routed to one or more sinks; and what a
/// sink was given it has delivered, or dropped, or it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PipelineView {
    /// Its name.
    pub name: String,
    /// Whether it runs.
    pub state: PipelineState,
    /// How many messages its sources have sent.
    pub received: u64,
    /// How many of them reached no sink, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// How many of them were given to a sink, or to several.
    pub routed: u64,
    /// Its sources, by name.
    pub sources: Vec<SourceView>,
    /// Its sinks, by name.
    pub sinks: Vec<SinkView>,
}

/// Whether a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PipelineState {
    /// Its sources are halted; its sinks take what is in their queues.
    Halted,
    /// It runs.
    Running,
    /// It does not run.
    Stopped,
    /// Its sources have ended, and its queues are being emptied.
    Stopping,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl PipelineState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            PipelineState::Halted => "halted",
            PipelineState::Running => "running",
            PipelineState::Stopped => "stopped",
            PipelineState::Stopping => "stopping",
            PipelineState::Unknown => "unknown",
        }
    }
}

/// What a source or a sink of a pipeline is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EndpointState {
    /// It was told to end, and has not yet.
    Closing,
    /// It has nothing more to do.
    Done,
    /// It has failed, and is started again after a pause.
    Failed,
    /// It runs.
    Running,
    /// It does not run.
    Stopped,
    /// It is about to run, or its plugin does not.
    Waiting,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl EndpointState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            EndpointState::Closing => "closing",
            EndpointState::Done => "done",
            EndpointState::Failed => "failed",
            EndpointState::Running => "running",
            EndpointState::Stopped => "stopped",
            EndpointState::Unknown => "unknown",
            EndpointState::Waiting => "waiting",
        }
    }
}

/// A source of a pipeline, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// The source that it uses.
    #[serde(rename = "use")]
    pub uses: String,
    /// What it is doing.
    pub state: EndpointState,
    /// Why, if there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was started again because it had failed.
    pub restarts: u64,
    /// How many messages it has sent.
    pub sent: u64,
}

/// A sink of a pipeline, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SinkView {
    /// Its name.
    pub name: String,
    /// The sink that it uses.
    #[serde(rename = "use")]
    pub uses: String,
    /// What it is doing.
    pub state: EndpointState,
    /// Why, if there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was started again because it had failed.
    pub restarts: u64,
    /// What happens when its queue is full: [`QueuePolicy`].
    pub policy: String,
    /// How many messages its queue holds.
    pub capacity: usize,
    /// How many bytes of memory its messages may take.
    pub memory: u64,
    /// How many messages it was given.
    pub given: u64,
    /// How many of them it has delivered.
    pub delivered: u64,
    /// How many of them were dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// How many of them are in its queue, or taken and not answered for.
    pub held: u64,
    /// How many bytes of memory they take; those that are only on disk take none.
    pub held_bytes: u64,
    /// What its queue has on disk, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskView>,
}

/// A queue on disk, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DiskView {
    /// How many bytes its messages take.
    pub bytes: u64,
    /// How many they may take.
    pub size: u64,
    /// How many places in it were found damaged since the queue was opened, and put aside.
    pub damaged: u64,
    /// How many messages that cost since then: they are dropped as `fault`.
    pub lost: u64,
}

constructors! {
    /// One that is in that state; nothing has come to it yet.
    PipelineView(name: impl Into<String>, state: PipelineState) {
        received: 0,
        dropped: BTreeMap::new(),
        routed: 0,
        sources: Vec::new(),
        sinks: Vec::new(),
    }

    /// One that is in that state, and has sent nothing yet.
    SourceView(name: impl Into<String>, uses: impl Into<String>, state: EndpointState) {
        reason: None,
        restarts: 0,
        sent: 0,
    }

    /// One that is in that state, and was given nothing yet.
    SinkView(name: impl Into<String>, uses: impl Into<String>, state: EndpointState, policy: impl Into<String>, capacity: usize) {
        reason: None,
        restarts: 0,
        memory: 0,
        given: 0,
        delivered: 0,
        dropped: BTreeMap::new(),
        held: 0,
        held_bytes: 0,
        disk: None,
    }

    /// One in which nothing is damaged.
    DiskView(bytes: u64, size: u64) {
        damaged: 0,
        lost: 0,
    }
}

impl PipelineView {
    /// Says where messages do not add up, while none is under way; `None` if they do.
    pub fn miscount(&self) -> Option<String> {
        let lost: u64 = self.dropped.values().sum();
        if self.received != lost + self.routed {
            return Some(format!(
                "{}: {} were received, {lost} dropped, {} routed",
                self.name, self.received, self.routed
            ));
        }
        self.sinks.iter().find_map(|sink| {
            let SinkView { name, given, delivered, held, .. } = sink;
            let lost: u64 = sink.dropped.values().sum();
            (*given != delivered + lost + held).then(|| {
                format!("{}/{name}: {given} were given, {delivered} delivered, {lost} dropped, {held} held", self.name)
            })
        })
    }
}

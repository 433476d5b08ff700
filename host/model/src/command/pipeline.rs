//! Pipelines of a host that runs some.

use serde::{Deserialize, Serialize};

use super::command;
use crate::pipeline::PipelineView;

/// Returns all pipelines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pipelines {}

/// Returns one pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ShowPipeline {
    /// Its name.
    pub pipeline: String,
}

/// Has a pipeline do something else; returns it as it is then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetPipeline {
    /// Its name.
    pub pipeline: String,
    /// What it is to do.
    pub act: PipelineAct,
    /// How long to wait for its queues to be emptied, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// What a pipeline is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PipelineAct {
    /// To end its sources; its sinks take what is in their queues, and wait.
    Halt,
    /// To stop, and to start again.
    Restart,
    /// To start its sources again.
    Resume,
    /// To start.
    Start,
    /// To end its sources, then its sinks when their queues are empty.
    Stop,
}

command!(Pipelines, "pipelines", HOST, Vec<PipelineView>);
command!(ShowPipeline, "pipeline", HOST, PipelineView);
command!(SetPipeline, "set-pipeline", HOST_AND_PLUGINS, PipelineView, wait_ms);

impl Pipelines {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }
}

impl ShowPipeline {
    /// The pipeline with that name.
    pub fn new(pipeline: impl Into<String>) -> Self {
        ShowPipeline { pipeline: pipeline.into() }
    }
}

impl SetPipeline {
    /// That pipeline is to do that.
    pub fn new(pipeline: impl Into<String>, act: PipelineAct) -> Self {
        SetPipeline { pipeline: pipeline.into(), act, wait_ms: None }
    }
}

//! Points and their chains.

use serde::{Deserialize, Serialize};

use super::command;
use crate::stats;
use crate::trace::{self, TraceFilter};
use crate::view::PointView;

/// Returns the points with their chains: all of them, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Points {
    /// The one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
}

/// Sets how much the dispatches of a point record from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetLevel {
    /// The point.
    pub point: String,
    /// The level.
    pub level: stats::StatsLevel,
}

/// Calls a quarantined callback again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Unquarantine {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
}

/// Traces the next dispatches of a point. Returns as many as were asked for, or those that were taken in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Trace {
    /// The point.
    pub point: String,
    /// The largest number of traces, from 1 to 1,000.
    pub count: usize,
    /// Only dispatches that fulfil this, `FIELD=VALUE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<TraceFilter>,
    /// How long to wait for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

command!(Points, "points", HOST, Vec<PointView>);
command!(SetLevel, "set-level", HOST, PointView);
command!(Unquarantine, "unquarantine", HOST, PointView);
command!(Trace, "trace", HOST, Vec<trace::Trace>, wait_ms);

impl Points {
    /// All points.
    pub fn new() -> Self {
        Points::default()
    }

    /// One point.
    pub fn of(point: impl Into<String>) -> Self {
        Points { point: Some(point.into()) }
    }
}

impl SetLevel {
    /// That of a point.
    pub fn new(point: impl Into<String>, level: stats::StatsLevel) -> Self {
        SetLevel { point: point.into(), level }
    }
}

impl Unquarantine {
    /// For a callback, `instance/callback`, on a point.
    pub fn new(point: impl Into<String>, callback: impl Into<String>) -> Self {
        Unquarantine { point: point.into(), callback: callback.into() }
    }
}

impl Trace {
    /// For a number of dispatches of a point, without a filter, with the host's default wait.
    pub fn new(point: impl Into<String>, count: usize) -> Self {
        Trace { point: point.into(), count, filter: None, wait_ms: None }
    }

    /// Only dispatches that fulfil this.
    #[must_use]
    pub fn filter(mut self, filter: TraceFilter) -> Self {
        self.filter = Some(filter);
        self
    }
}

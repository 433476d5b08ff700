//! Points and their chains.

use serde::{Deserialize, Serialize};

use super::command;
use crate::stats;
use crate::trace::{self, Condition};
use crate::view::PointView;

/// Returns the points with their chains: all of them, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// The point, for just one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
}

/// Sets how much the dispatches of a point record from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetLevel {
    /// The point.
    pub point: String,
    /// The level.
    pub level: stats::Level,
}

/// Calls a quarantined callback again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unquarantine {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
}

/// Traces the next dispatches of a point. Returns as many as were asked for, or those that were taken in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The point.
    pub point: String,
    /// The largest number of traces, from 1 to 1,000.
    pub count: usize,
    /// Traces only dispatches that meet this condition, `FIELD=VALUE`.
    #[serde(rename = "if", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// How long to wait for them, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

command!(Hooks, "hooks", HOST, Vec<PointView>);
command!(SetLevel, "set-level", HOST, PointView);
command!(Unquarantine, "unquarantine", HOST, PointView);
command!(Trace, "trace", HOST, Vec<trace::Trace>, wait_ms);

impl Hooks {
    /// All points.
    pub fn new() -> Self {
        Hooks::default()
    }

    /// One point.
    pub fn of(point: impl Into<String>) -> Self {
        Hooks { point: Some(point.into()) }
    }
}

impl SetLevel {
    /// For a point.
    pub fn new(point: impl Into<String>, level: stats::Level) -> Self {
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
    /// For a number of dispatches of a point, without a condition, with the host's default wait.
    pub fn new(point: impl Into<String>, count: usize) -> Self {
        Trace { point: point.into(), count, condition: None, wait_ms: None }
    }
}

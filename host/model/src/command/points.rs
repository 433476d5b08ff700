//! Points and their chains.

use hookrail_abi::FaultPolicy;
use serde::{Deserialize, Serialize};

use super::command;
use crate::config::{self, CallbackOverride};
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

/// Changes what is said of a callback while it is called: what is not given stays as it was said before. It is kept in the
/// store, unless the host's configuration says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SetCallback {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
    /// Whether all that was said before is forgotten first: what the plugin declares applies.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub default: bool,
    /// Another priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Whether it stands in the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What its fault means, `open`, `closed` or `rollback`.
    #[serde(
        default,
        deserialize_with = "config::fault_policy",
        serialize_with = "config::fault_policy_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub fault_policy: Option<FaultPolicy>,
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
command!(SetCallback, "set-callback", HOST_AND_PLUGINS, PointView);
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

impl SetCallback {
    /// For a callback, `instance/callback`, on a point; without changes yet.
    pub fn new(point: impl Into<String>, callback: impl Into<String>) -> Self {
        let (point, callback) = (point.into(), callback.into());
        SetCallback { point, callback, default: false, priority: None, enabled: None, fault_policy: None }
    }

    /// Whether there is any change in it.
    pub fn changes_anything(&self) -> bool {
        self.default || self.priority.is_some() || self.enabled.is_some() || self.fault_policy.is_some()
    }

    /// What is said of the callback after the change, if that was said before.
    #[must_use]
    pub fn applied_to(&self, before: CallbackOverride) -> CallbackOverride {
        let before = if self.default { CallbackOverride::new(&self.point, &self.callback) } else { before };
        CallbackOverride {
            priority: self.priority.or(before.priority),
            enabled: self.enabled.unwrap_or(before.enabled),
            fault_policy: self.fault_policy.or(before.fault_policy),
            ..before
        }
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

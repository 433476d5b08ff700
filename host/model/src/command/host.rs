//! The host itself.

use serde::{Deserialize, Serialize};

use super::{Program, command};
use crate::metrics::Family;

/// Subscribes to what happens to plugins, until the connection is closed. The answer itself is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Events {}

/// Returns what the host counts and measures, for a monitoring system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Metrics {}

/// Returns the program that the host runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Status {}

command!(Events, "events", HOST, ());
command!(Metrics, "metrics", HOST, Vec<Family>);
command!(Status, "status", HOST, Program);

impl Events {
    /// All of them.
    pub fn new() -> Self {
        Events::default()
    }
}

impl Metrics {
    /// All of them.
    pub fn new() -> Self {
        Metrics::default()
    }
}

impl Status {
    /// Of the host.
    pub fn new() -> Self {
        Status::default()
    }
}

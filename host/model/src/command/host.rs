//! The host itself.

use serde::{Deserialize, Serialize};

use super::{Program, command};

/// Subscribes to what happens to plugins, until the connection is closed. The answer itself is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Events {}

/// Returns the program that the host runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Status {}

command!(Events, "events", HOST, ());
command!(Status, "status", HOST, Program);

impl Events {
    /// All of them.
    pub fn new() -> Self {
        Events::default()
    }
}

impl Status {
    /// Of the host.
    pub fn new() -> Self {
        Status::default()
    }
}

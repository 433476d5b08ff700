//! The host itself.

use serde::{Deserialize, Serialize};

use super::{Program, command};

/// What happens to plugins from now on, until the connection is closed. Returns nothing first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {}

/// The program that the host is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {}

command!(Events, "events", HOST, ());
command!(Status, "status", HOST, Program);

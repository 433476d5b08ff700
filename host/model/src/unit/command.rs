//! What units are told to do, and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::constructors;
use crate::named::display_name;

/// What a unit is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnitCommand {
    /// To pause its work.
    Halt,
    /// To say how it is.
    Ping,
    /// To read its configuration again, without being started again.
    Reload,
    /// To start again as if for the first time.
    Restart,
    /// To go on with its work.
    Resume,
    /// To end.
    Shutdown,
    /// To begin.
    Start,
    /// What a newer program says.
    #[serde(other)]
    Unknown,
}

/// What came of a command to a unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Acknowledgement {
    /// It is done.
    Acknowledged,
    /// It is not done: the unit, or what is known of it, does not allow that.
    #[non_exhaustive]
    Refused {
        /// Why.
        reason: String,
    },
    /// The unit did not answer in time.
    TimedOut,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

constructors! {
    Acknowledgement:
    refused = Refused(reason: impl Into<String>),
}

impl UnitCommand {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            UnitCommand::Halt => "halt",
            UnitCommand::Ping => "ping",
            UnitCommand::Reload => "reload",
            UnitCommand::Restart => "restart",
            UnitCommand::Resume => "resume",
            UnitCommand::Shutdown => "shutdown",
            UnitCommand::Start => "start",
            UnitCommand::Unknown => "unknown",
        }
    }
}

display_name!(UnitCommand);

impl fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Acknowledgement::Acknowledged => f.write_str("acknowledged"),
            Acknowledgement::Refused { reason } => write!(f, "refused: {reason}"),
            Acknowledgement::TimedOut => f.write_str("not answered in time"),
            Acknowledgement::Unknown => f.write_str("answered in a way that this version does not know"),
        }
    }
}

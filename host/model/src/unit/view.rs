//! What people see of a unit.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::exit::Exit;
use crate::named::display_name;
use crate::{constructors, time};

/// The state of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnitState {
    /// Its process runs, and says that something is wrong with it, or does not answer.
    Error,
    /// It has ended too often, and is started by command only.
    Failed,
    /// It was told to pause its work.
    Halted,
    /// Its process runs, and is not ready yet.
    Init,
    /// It does its work.
    Running,
    /// It was never started, or was shut down.
    #[default]
    Stopped,
    /// It was told to end, and has not yet.
    Stopping,
    /// It has ended, and is started again in a moment.
    Waiting,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnitView {
    /// The name.
    pub name: String,
    /// The state.
    pub state: UnitState,
    /// Since when it has had that state.
    #[serde(with = "time")]
    pub since: SystemTime,
    /// Why it has that state, if there is something to say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The number of its process, if it has one.
    pub pid: Option<u32>,
    /// How often it was started again because it had ended.
    pub restarts: u64,
    /// How its last process ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_exit: Option<Exit>,
}

constructors! {
    /// A unit that was never started.
    UnitView(name: impl Into<String>, since: SystemTime) {
        state: UnitState::Stopped,
        reason: None,
        pid: None,
        restarts: 0,
        last_exit: None,
    }
}

impl UnitState {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            UnitState::Error => "error",
            UnitState::Failed => "failed",
            UnitState::Halted => "halted",
            UnitState::Init => "init",
            UnitState::Running => "running",
            UnitState::Stopped => "stopped",
            UnitState::Stopping => "stopping",
            UnitState::Unknown => "unknown",
            UnitState::Waiting => "waiting",
        }
    }
}

display_name!(UnitState);

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::super::ExitStatus;
    use super::*;

    #[test]
    fn a_unit_crosses_as_json() {
        let mut view = UnitView::new("echo", UNIX_EPOCH);
        let json =
            r#"{"name":"echo","state":"stopped","since":"1970-01-01T00:00:00.000000000Z","pid":null,"restarts":0}"#;
        assert_eq!(serde_json::to_string(&view).unwrap(), json);
        view.last_exit = Some(Exit::new(ExitStatus::exited(3)));
        view.reason = Some("it ended".into());
        let json = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<UnitView>(&json).unwrap(), view);
        assert_eq!(serde_json::from_str::<UnitState>("\"dreaming\"").unwrap(), UnitState::Unknown);
    }
}

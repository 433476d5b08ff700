//! What happens to a unit.

use serde::{Deserialize, Serialize};

/// What has happened to a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnitEvent {
    /// A process has ended, with all that it had started.
    Ended {
        /// Which.
        run: u64,
        /// How.
        end: UnitEnd,
    },
    /// It has ended too often, and is not started again.
    Failed,
    /// It has ended and will not begin again. Nothing comes behind it.
    Gone,
    /// A process is ordered to do something.
    Order {
        /// Which.
        run: u64,
        /// By which the answer knows it.
        number: u64,
        /// What.
        order: UnitOrder,
    },
    /// A process was started; with it come the descriptors that lead to its stdin and from its stdout.
    Started {
        /// Its number.
        run: u64,
    },
}

/// How a process of a unit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnitEnd {
    /// With that status.
    Exited(i32),
    /// By that signal.
    Killed(i32),
    /// Nobody has seen it.
    Unseen,
}

/// What a process of a unit is ordered to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they are those of the boundary")]
pub enum UnitOrder {
    Halt,
    Ping,
    Reload,
    Resume,
    Shutdown,
}

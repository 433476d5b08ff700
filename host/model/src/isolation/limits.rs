//! The limits of a worker process, and what holds it to them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::constructors;
use crate::named::display_name;
use crate::setters;
use crate::unit::Restarts;
use crate::units::fields;

/// The limits of a worker process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct WorkerLimits {
    /// How long a call of a callback may take: past it the worker is ended, and the call is a fault.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub deadline: Duration,
    /// How long any other call may take, such as `start` and `stop`.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub patience: Duration,
    /// The longest payload that crosses, encoded, in bytes.
    #[serde(deserialize_with = "fields::size")]
    pub max_payload: usize,
    /// How much memory it may have, in bytes, besides what it begins with.
    #[serde(deserialize_with = "fields::optional_size")]
    pub max_memory: Option<u64>,
    /// How many files it may have open.
    pub max_files: Option<u64>,
    /// How many processes and threads it may have, with all that it starts, its own included.
    pub max_processes: Option<u64>,
    /// Its share of the CPU where others want it too: 1 to 10000, of which everybody has 100.
    pub cpu_weight: Option<u64>,
    /// Which variables of the host's environment it is given, besides the few that every worker is.
    pub environment: Vec<String>,
    /// Whether the report of its end has the payloads of the calls that were lost, with secrets masked. They may hold what
    /// is nobody else's business.
    pub keep_input: bool,
    /// When it is started again. A process that has answered a call counts as one that does its work.
    pub restarts: Restarts,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        WorkerLimits {
            deadline: Duration::from_secs(10),
            patience: Duration::from_secs(30),
            max_payload: 32 << 20,
            max_memory: None,
            max_files: None,
            max_processes: None,
            cpu_weight: None,
            environment: Vec::new(),
            keep_input: false,
            restarts: Restarts::default(),
        }
    }
}

setters!(WorkerLimits {
    with_deadline(deadline: Duration),
    with_patience(patience: Duration),
    with_max_payload(max_payload: usize),
    with_max_memory(max_memory: u64) = Some,
    with_max_files(max_files: u64) = Some,
    with_max_processes(max_processes: u64) = Some,
    with_cpu_weight(cpu_weight: u64) = Some,
    with_environment(environment: Vec<String>),
    with_keep_input(keep_input: bool),
    with_restarts(restarts: Restarts),
});

impl WorkerLimits {
    /// What is wrong with one of them, and its key.
    #[doc(hidden)]
    pub fn mistake(&self) -> Option<(&'static str, &'static str)> {
        if self.cpu_weight.is_some_and(|weight| !(1..=10_000).contains(&weight)) {
            return Some(("cpu_weight", "is not between 1 and 10000: everybody has 100"));
        }
        let most =
            [("max_memory", self.max_memory), ("max_files", self.max_files), ("max_processes", self.max_processes)];
        let (key, _) = most.into_iter().find(|(_, most)| *most == Some(0))?;
        Some((key, "is 0: leave it out for no limit"))
    }
}

/// A limit that a worker was given, and what holds it to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitView {
    /// Its key in the configuration.
    pub key: String,
    /// Its value.
    pub value: u64,
    /// What holds the worker to it.
    pub by: LimitedBy,
}

/// What holds a worker to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LimitedBy {
    /// A group of the system for this worker alone.
    Cgroup,
    /// Nothing: the limit is not in force.
    Nothing,
    /// A limit of its process, of which others have as much.
    Rlimit,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl LimitedBy {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            LimitedBy::Cgroup => "by a cgroup",
            LimitedBy::Nothing => "not in force",
            LimitedBy::Rlimit => "by an rlimit",
            LimitedBy::Unknown => "unknown",
        }
    }
}

display_name!(LimitedBy);

constructors! {
    /// A limit by that key and value.
    LimitView(key: impl Into<String>, value: u64, by: LimitedBy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_limits_everything_or_nothing_is_a_mistake() {
        let limits = WorkerLimits::default;
        assert_eq!(limits().with_cpu_weight(1).with_max_processes(1).mistake(), None);
        for (limits, key) in [
            (limits().with_cpu_weight(0), "cpu_weight"),
            (limits().with_cpu_weight(10_001), "cpu_weight"),
            (limits().with_max_memory(0), "max_memory"),
            (limits().with_max_files(0), "max_files"),
            (limits().with_max_processes(0), "max_processes"),
        ] {
            assert_eq!(limits.mistake().map(|(key, _)| key), Some(key));
        }
    }
}

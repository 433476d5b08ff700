//! In which process a plugin's code runs, and the limits of that process.

mod limits;
mod placed;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::constructors;
use crate::named::display_name;
pub use limits::{LimitView, LimitedBy, WorkerLimits};
pub use placed::{Placed, PlacedBy};

/// In which process a plugin's code runs. In text it is `"in-process"`, `"worker"` or `{ worker = "NAME" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// In the host's own.
    #[default]
    InProcess,
    /// In a worker process: its own, or the one of that name, which it shares with other plugins.
    Worker(Option<String>),
}

impl Isolation {
    /// In a worker process of its own.
    pub const WORKER: Self = Isolation::Worker(None);

    /// Whether its code runs in another process.
    pub fn is_isolated(&self) -> bool {
        matches!(self, Isolation::Worker(_))
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Isolation::InProcess => f.write_str("in-process"),
            Isolation::Worker(None) => f.write_str("worker"),
            Isolation::Worker(Some(name)) => write!(f, "worker {name}"),
        }
    }
}

impl Serialize for Isolation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Isolation::InProcess => serializer.serialize_str("in-process"),
            Isolation::Worker(None) => serializer.serialize_str("worker"),
            Isolation::Worker(Some(name)) => serializer.collect_map([("worker", name)]),
        }
    }
}

impl<'de> Deserialize<'de> for Isolation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Said;
        impl<'de> Visitor<'de> for Said {
            type Value = Isolation;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"in-process\", \"worker\", or { worker = \"NAME\" } for one that several plugins share")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Isolation, E> {
                match text {
                    "in-process" => Ok(Isolation::InProcess),
                    "worker" => Ok(Isolation::WORKER),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Isolation, A::Error> {
                let mut name = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "worker" => name = Some(map.next_value::<String>()?),
                        other => return Err(de::Error::unknown_field(other, &["worker"])),
                    }
                }
                let name = name.ok_or_else(|| de::Error::missing_field("worker"))?;
                if name.is_empty() {
                    return Err(de::Error::invalid_value(de::Unexpected::Str(""), &"the name of a worker"));
                }
                Ok(Isolation::Worker(Some(name)))
            }
        }
        deserializer.deserialize_any(Said)
    }
}

/// A worker process, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct WorkerView {
    /// Its name: that of its plugin, or the one that its plugins share.
    pub name: String,
    /// What it does.
    pub state: WorkerState,
    /// Its process, if one runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pid: Option<u32>,
    /// How often another process was started in place of one that had ended.
    pub restarts: u64,
    /// How many calls that nobody waits for were dropped: its queue was full, or no process ran.
    pub dropped: u64,
    /// How the last one ended, if one has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_end: Option<String>,
    /// The limits that its process was given, and what holds it to them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub limits: Vec<LimitView>,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WorkerState {
    /// It has ended too often, and is not started again.
    Failed,
    /// Its process has ended, and another one is being started.
    Restarting,
    /// Its process runs.
    Running,
    /// No process runs, and none is needed.
    Stopped,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

display_name!(WorkerState);

constructors! {
    /// A worker that was never started again.
    WorkerView(name: impl Into<String>, state: WorkerState) { pid: None, restarts: 0u64, dropped: 0u64, last_end: None, limits: Vec::new() }
}

impl WorkerState {
    /// The name, in the program.
    pub const fn name(self) -> &'static str {
        match self {
            WorkerState::Failed => "given up",
            WorkerState::Restarting => "being started again",
            WorkerState::Running => "running",
            WorkerState::Stopped => "stopped",
            WorkerState::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolation_is_read_as_it_is_written() {
        let said = [Isolation::InProcess, Isolation::WORKER, Isolation::Worker(Some("auth".into()))];
        let texts = [r#""in-process""#, r#""worker""#, r#"{"worker":"auth"}"#];
        for (isolation, text) in said.into_iter().zip(texts) {
            assert_eq!(serde_json::to_string(&isolation).unwrap(), text);
            assert_eq!(serde_json::from_str::<Isolation>(text).unwrap(), isolation);
        }
        for wrong in [r#""process""#, r#"{"worker":""}"#, r#"{"process":"a"}"#, "{}", "1"] {
            serde_json::from_str::<Isolation>(wrong).unwrap_err();
        }
    }
}

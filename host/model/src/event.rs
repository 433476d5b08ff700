//! What happens to plugins.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::end::End;
use crate::memory::Memory;
use crate::times::UpgradeTimes;

/// Something that happened to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The plugin's name.
    pub plugin: String,
    /// Its generation.
    pub generation: u64,
    /// When.
    #[serde(with = "crate::time")]
    pub time: SystemTime,
    /// What.
    #[serde(flatten)]
    pub what: EventKind,
}

/// What happened to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The generation ended.
    Ended {
        /// How.
        #[serde(flatten)]
        end: End,
        /// What it held in the end, if it counts its memory.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        left: Option<Memory>,
    },
    /// The plugin was loaded.
    Loaded {
        /// Its version.
        version: String,
    },
    /// The plugin has come to hold more memory than it may; its callbacks are quarantined.
    OverMemory {
        /// How many bytes it holds.
        bytes: u64,
        /// How many it may hold.
        max_bytes: u64,
    },
    /// A callback is called no more: it failed too often, or its plugin holds too much memory.
    Quarantined {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The faults, or what else it was.
        reason: String,
    },
    /// A quarantined callback is called again.
    Released {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// Whether it was tried, and answered well; otherwise somebody asked for it.
        tried: bool,
    },
    /// The generation took the place of one that did not pass its probation.
    RolledBack {
        /// The number of the one it replaced.
        from: u64,
        /// Why that one was given up.
        reason: String,
    },
    /// The generation did not pass its probation, and goes on all the same.
    RollbackFailed {
        /// Why it was to be given up.
        reason: String,
        /// Why it was not.
        error: String,
    },
    /// A call of a callback took longer than it may; told for the first ten, then for ever fewer.
    Slow {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// How long it took, in nanoseconds.
        took_ns: u64,
        /// How long it may take, in nanoseconds.
        budget_ns: u64,
        /// How often that was so by now.
        count: u64,
    },
    /// A stopped plugin runs again.
    Started,
    /// The plugin was stopped; its library stays loaded.
    Stopped,
    /// A callback has been in one call for longer than the limit; told once for each call.
    Stuck {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The thread: its name, and the system's number of it.
        thread: String,
        /// How long by now, in milliseconds.
        took_ms: u64,
    },
    /// Its callbacks were taken out of their chains, to unload it.
    Unloading,
    /// The generation took the place of another.
    Upgraded {
        /// The number of the one it replaced.
        from: u64,
        /// Its version.
        version: String,
        /// How long the parts took.
        times: UpgradeTimes,
    },
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object() {
        let what = EventKind::Ended { end: End::Unmapped, left: None };
        let event = Event { plugin: "a".into(), generation: 2, time: SystemTime::UNIX_EPOCH, what };
        let json = serde_json::json!({ "plugin": "a", "generation": 2, "time": "1970-01-01T00:00:00.000000000Z", "event": "ended", "end": "unmapped" });
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
    }
}

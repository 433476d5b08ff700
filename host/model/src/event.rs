//! What happens to plugins.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::constructors;
use crate::end::End;
use crate::health::Health;
use crate::isolation::Isolation;
use crate::memory::Memory;
use crate::times::UpgradeTimes;

/// Something that happened to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// An instance has written its own configuration.
    #[non_exhaustive]
    ConfigWritten {
        /// The instance.
        instance: String,
        /// The revision of its configuration.
        revision: u64,
    },
    /// The generation ended.
    #[non_exhaustive]
    Ended {
        /// How it ended.
        #[serde(flatten)]
        end: End,
        /// The memory that it still held, if it counts that.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        unfreed_memory: Option<Memory>,
    },
    /// The plugin pauses: its callbacks are out of their chains, its instances stay.
    Halted,
    /// The plugin says something else of its health than before, or has begun not to answer.
    #[non_exhaustive]
    HealthChanged {
        /// How it is.
        health: Health,
        /// Why it is not good.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// The plugin was loaded.
    #[non_exhaustive]
    Loaded {
        /// Its version.
        version: String,
    },
    /// The generation replaced another one of the same build, which ran in another process.
    #[non_exhaustive]
    Moved {
        /// The number of the generation that it replaced.
        from: u64,
        /// Where it runs.
        to: Isolation,
        /// How long the phases took.
        times: UpgradeTimes,
    },
    /// The plugin exceeds its memory limit; its callbacks are quarantined.
    #[non_exhaustive]
    OverMemory {
        /// How many bytes it holds.
        bytes: u64,
        /// The limit, in bytes.
        max_bytes: u64,
    },
    /// A callback is no longer called: it failed too often, or its plugin exceeds its memory limit.
    #[non_exhaustive]
    Quarantined {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The faults, or the other reason.
        reason: String,
    },
    /// A quarantined callback is called again.
    #[non_exhaustive]
    Released {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// Whether a trial call succeeded; otherwise a caller released it.
        tried: bool,
    },
    /// A halted plugin runs again.
    Resumed,
    /// The generation replaced one that failed its probation.
    #[non_exhaustive]
    RolledBack {
        /// The number of the generation that it replaced.
        from: u64,
        /// Why that one was rolled back.
        reason: String,
    },
    /// The generation failed its probation, but the rollback failed too, so it continues.
    #[non_exhaustive]
    RollbackFailed {
        /// Why it should have been rolled back.
        reason: String,
        /// Why the rollback failed.
        error: String,
    },
    /// A call of a callback exceeded its time budget; reported for the first ten, then ever more rarely.
    #[non_exhaustive]
    Slow {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// How long it took, in nanoseconds.
        took_ns: u64,
        /// The budget, in nanoseconds.
        budget_ns: u64,
        /// How many calls have exceeded the budget so far.
        count: u64,
    },
    /// A stopped plugin runs again.
    Started,
    /// The plugin was stopped; its library stays loaded.
    Stopped,
    /// A callback has been in one call for longer than the limit; reported once per call.
    #[non_exhaustive]
    Stuck {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The name of the thread, as the system has it: 15 bytes at most.
        thread: String,
        /// The system's id of the thread.
        thread_id: u32,
        /// How long it has been in the call, in milliseconds.
        took_ms: u64,
    },
    /// Its callbacks were removed from their chains, to unload it.
    Unloading,
    /// The generation replaced another.
    #[non_exhaustive]
    Upgraded {
        /// The number of the generation that it replaced.
        from: u64,
        /// Its version.
        version: String,
        /// How long the phases took.
        times: UpgradeTimes,
    },
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

constructors! {
    /// What happened to a generation of a plugin, and when.
    Event(plugin: impl Into<String>, generation: u64, time: SystemTime, what: EventKind)
}

constructors! {
    EventKind:
    config_written = ConfigWritten(instance: impl Into<String>, revision: u64),
    ended = Ended(end: End, unfreed_memory: Option<Memory>),
    health_changed = HealthChanged(health: Health, reason: Option<String>),
    loaded = Loaded(version: impl Into<String>),
    over_memory = OverMemory(bytes: u64, max_bytes: u64),
    quarantined = Quarantined(point: impl Into<String>, callback: impl Into<String>, reason: impl Into<String>),
    released = Released(point: impl Into<String>, callback: impl Into<String>, tried: bool),
    rolled_back = RolledBack(from: u64, reason: impl Into<String>),
    rollback_failed = RollbackFailed(reason: impl Into<String>, error: impl Into<String>),
    slow = Slow(
        point: impl Into<String>,
        callback: impl Into<String>,
        took_ns: u64,
        budget_ns: u64,
        count: u64,
    ),
    stuck = Stuck(
        point: impl Into<String>,
        callback: impl Into<String>,
        thread: impl Into<String>,
        thread_id: u32,
        took_ms: u64,
    ),
    moved = Moved(from: u64, to: Isolation, times: UpgradeTimes),
    upgraded = Upgraded(from: u64, version: impl Into<String>, times: UpgradeTimes),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object() {
        let what = EventKind::Ended { end: End::Unmapped, unfreed_memory: None };
        let event = Event { plugin: "a".into(), generation: 2, time: SystemTime::UNIX_EPOCH, what };
        let json = serde_json::json!({ "plugin": "a", "generation": 2, "time": "1970-01-01T00:00:00.000000000Z", "event": "ended", "end": "unmapped" });
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
    }
}

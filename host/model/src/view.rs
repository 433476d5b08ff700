//! What people see of a host: its points, chains and plugins, as owned values that can be
//! sent elsewhere.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::end::End;
use crate::health::Health;
use crate::installed::Listed;
use crate::log_level::LogLevel;
use crate::memory::{Memory, MemoryView};
use crate::note::NoteHook;
use crate::stats::{LastFault, Latency, StatsLevel};

/// A point and its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointView {
    /// The name.
    pub point: String,
    /// `notify`, `fold` or `gate`.
    pub kind: Cow<'static, str>,
    /// 0 while nobody dispatches it.
    pub revision: u32,
    /// Whether a callback may deny.
    pub deniable: bool,
    /// Whether its payload stays in this process.
    pub local: bool,
    /// Who dispatches it and since when; `None` for an embedder's own point.
    pub dispatched_by: Option<String>,
    /// How closely its dispatches are looked at.
    pub level: StatsLevel,
    /// By how many it is being traced; each of its dispatches costs microseconds meanwhile.
    #[serde(default)]
    pub tracers: usize,
    /// How many dispatches were counted.
    pub dispatches: u64,
    /// How many of them found no callback.
    pub empty: u64,
    /// The callbacks, in the order in which they run.
    pub chain: Vec<CallbackView>,
}

/// A callback in its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackView {
    /// The number it is ordered by.
    pub priority: i32,
    /// Where the number comes from: `built-in`, `declared` or `overridden`.
    pub origin: Cow<'static, str>,
    /// The number the plugin declared, where the operator overrides it.
    pub declared: Option<i32>,
    /// The instance it belongs to.
    pub instance: String,
    /// Its name.
    pub callback: String,
    /// What it touches.
    pub effects: Cow<'static, str>,
    /// What its fault means: `open`, `closed` or `rollback`.
    pub fault: Cow<'static, str>,
    /// Whether it runs; the operator may disable it.
    pub enabled: bool,
    /// Whether it is called.
    pub status: CallbackStatus,
    /// Why it is not called, where it is absent, quarantined or on trial.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The time a call of it may take, in nanoseconds, if that is limited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub budget_ns: Option<u64>,
    /// How often it failed.
    pub faults: u64,
    /// The last time it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_fault: Option<LastFault>,
    /// How often a call took longer than it may, while that was looked at.
    pub slow: u64,
    /// How often it was found in one call for too long.
    pub stuck: u64,
    /// How many of those calls go on.
    #[serde(default)]
    pub stuck_now: u64,
    /// What was counted of its calls.
    pub calls: Calls,
    /// How long they took, where they were timed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency: Option<Latency>,
}

/// The calls of a callback, while they were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// All of them.
    pub total: u64,
    /// Those that stopped the chain; on a gate, those that allowed.
    pub stopped: u64,
    /// Those that denied.
    pub denied: u64,
}

/// Whether a callback is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CallbackStatus {
    /// Its plugin is required and does not run: the host denies in its place.
    Absent,
    /// It is.
    #[default]
    Armed,
    /// The operator has disabled it.
    Disabled,
    /// One dispatch will call it; when that goes well, all do again.
    HalfOpen,
    /// It failed too often. Where its fault denies, the host denies in its place.
    Quarantined,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl CallbackStatus {
    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            CallbackStatus::Absent => "absent",
            CallbackStatus::Armed => "armed",
            CallbackStatus::Disabled => "disabled",
            CallbackStatus::HalfOpen => "half-open",
            CallbackStatus::Quarantined => "quarantined",
            CallbackStatus::Unknown => "unknown",
        }
    }
}

/// A plugin that is loaded, was, or is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginView {
    /// The plugin's id.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its number among all loads and upgrades of that name in this host, from 1; 0 where none loaded it.
    pub generation: u64,
    /// Whether its library is in the host.
    #[serde(default)]
    pub loaded: bool,
    /// Whether it runs.
    pub status: Status,
    /// Whether it does what it is there for.
    #[serde(default)]
    pub health: Health,
    /// Why, where it does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The file that its library was read from, if it is loaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Its instances; none while it is stopped.
    pub instances: Vec<String>,
    /// The hooks that its note declares; an instance may leave some out.
    #[serde(default)]
    pub declared: Vec<NoteHook>,
    /// How much it tells by `tracing` and `log`.
    pub log_level: LogLevel,
    /// What it holds of memory, if it counts that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory: Option<MemoryView>,
    /// The generations before it, the last eight at most, oldest first.
    pub former: Vec<GenerationView>,
    /// What is installed of it, if the host has a store; nothing, when it was loaded from a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub installed: Option<Listed>,
}

/// Whether a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// It is installed, and hosts shall not load it.
    Disabled,
    /// Its instances are started, and their callbacks stand in their chains.
    Running,
    /// It has no instances. Its library is loaded; or it is enabled, and no host has loaded it.
    Stopped,
    /// Its callbacks are in no chain any more, and somebody is still in one of them.
    Stopping,
    /// It is not loaded any more; its former generations say how it ended.
    Unloaded,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// In the words of errors and of the program.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Disabled => "disabled",
            Status::Running => "running",
            Status::Stopped => "stopped",
            Status::Stopping => "being stopped",
            Status::Unloaded => "unloaded",
            Status::Unknown => "unknown",
        }
    }
}

/// A generation that was replaced or unloaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationView {
    /// Its number.
    pub generation: u64,
    /// Its version.
    pub version: String,
    /// How it ended; [`End::Busy`] while it goes on.
    #[serde(flatten)]
    pub end: End,
    /// How many destructors of thread-locals were never run: `Ticket::skipped`.
    pub skipped: usize,
    /// What it held in the end, if it counted that: `Ticket::left`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<Memory>,
}

impl PluginView {
    /// One that is not loaded.
    pub fn absent(name: &str, version: String, status: Status) -> Self {
        PluginView {
            name: name.into(),
            version,
            generation: 0,
            loaded: false,
            status,
            health: Health::Good,
            reason: None,
            file: None,
            instances: Vec::new(),
            declared: Vec::new(),
            log_level: LogLevel::Off,
            memory: None,
            former: Vec::new(),
            installed: None,
        }
    }
}

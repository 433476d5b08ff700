//! What people see of a host: its points, chains and plugins, as owned values that can be sent elsewhere.

mod values;

use serde::{Deserialize, Serialize};

pub use self::values::{EffectsView, FaultPolicyView, PointKind, PriorityOrigin};
use crate::constructors;
use crate::end::End;
use crate::health::Health;
use crate::installed::{Listed, Origin};
use crate::isolation::{Placed, WorkerView};
use crate::log_level::LogLevel;
use crate::memory::{Memory, MemoryView};
use crate::named::display_name;
use crate::note::{NoteEndpoint, NoteHook};
use crate::plugin_metrics::PluginMetric;
use crate::stats::{LastFault, Latency, StatsLevel};

/// A point and its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PointView {
    /// The name.
    pub point: String,
    /// What its callbacks may do.
    pub kind: PointKind,
    /// The revision; 0 while no program dispatches the point.
    pub revision: u32,
    /// Whether a callback may deny.
    pub deniable: bool,
    /// Whether its payload never leaves this process.
    pub local: bool,
    /// This program, if it is the one that dispatches the point; `None` in an embedder's, which may or may not.
    pub dispatched_by: Option<Dispatcher>,
    /// How closely its dispatches are looked at.
    #[serde(deserialize_with = "StatsLevel::of_view")]
    pub level: StatsLevel,
    /// By how many it is being traced; each of its dispatches costs microseconds meanwhile.
    #[serde(default)]
    pub tracers: usize,
    /// The number of dispatches counted.
    pub dispatches: u64,
    /// The number of those that found no callback.
    pub empty: u64,
    /// The callbacks, in the order in which they run.
    pub chain: Vec<CallbackView>,
}

/// The program that dispatches a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dispatcher {
    /// Its command.
    pub program: String,
    /// Its first version that does.
    pub since: String,
}

/// A callback in its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallbackView {
    /// Its priority.
    pub priority: i32,
    /// Where the priority comes from.
    pub priority_origin: PriorityOrigin,
    /// The priority that the plugin declares, if the operator overrides it.
    pub declared_priority: Option<i32>,
    /// What identifies it: `instance/name`.
    pub callback: String,
    /// The instance it belongs to.
    pub instance: String,
    /// Its name, as its plugin declares it.
    pub name: String,
    /// What it touches.
    pub effects: EffectsView,
    /// What its fault means.
    pub fault_policy: FaultPolicyView,
    /// What its fault means as the plugin declares it, if the operator says something else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub declared_fault_policy: Option<FaultPolicyView>,
    /// Who overrides what the plugin declares of it, if anybody does: the host's own configuration, or the operator by
    /// `hooks set`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overridden_by: Option<Origin>,
    /// Whether it is enabled; the operator may disable it.
    pub enabled: bool,
    /// Whether it is called.
    pub status: CallbackStatus,
    /// Why it is not called, if it is absent, quarantined or on trial.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The time that a call may take, in nanoseconds, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub budget_ns: Option<u64>,
    /// The number of its faults.
    pub faults: u64,
    /// The number of dispatches that came to it and did not call it, since it was quarantined or absent: what it does was
    /// not done for them.
    #[serde(default)]
    pub missed: u64,
    /// Its last fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_fault: Option<LastFault>,
    /// The number of calls that exceeded the budget, while that was checked.
    pub slow: u64,
    /// The number of calls that were found stuck.
    pub stuck: u64,
    /// The number of those calls still running.
    #[serde(default)]
    pub stuck_now: u64,
    /// The counts of its calls.
    pub calls: Calls,
    /// The durations of its calls, if they were timed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency: Option<Latency>,
}

impl CallbackView {
    /// A callback that was never called, with what it has if it declares nothing else.
    pub fn new(instance: impl Into<String>, name: impl Into<String>, priority: i32) -> Self {
        let (instance, name) = (instance.into(), name.into());
        CallbackView {
            priority,
            priority_origin: PriorityOrigin::Declared,
            declared_priority: None,
            callback: format!("{instance}/{name}"),
            instance,
            name,
            effects: EffectsView::External,
            fault_policy: FaultPolicyView::Open,
            declared_fault_policy: None,
            overridden_by: None,
            enabled: true,
            status: CallbackStatus::Armed,
            reason: None,
            budget_ns: None,
            faults: 0,
            missed: 0,
            last_fault: None,
            slow: 0,
            stuck: 0,
            stuck_now: 0,
            calls: Calls::default(),
            latency: None,
        }
    }
}

/// The calls of a callback while they were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Calls {
    /// All of them.
    pub total: u64,
    /// Those that skipped the rest of the chain; at a gate, those that allowed.
    pub skipped: u64,
    /// Those that denied.
    pub denied: u64,
}

/// Whether a callback is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CallbackStatus {
    /// Its plugin is required and not running: the host denies in its place.
    Absent,
    /// It is called.
    #[default]
    Armed,
    /// The operator has disabled it.
    Disabled,
    /// The next dispatch calls it on trial; if that succeeds, all dispatches call it again.
    HalfOpen,
    /// It failed too often, or its plugin exceeds its memory limit. If its fault denies, the host denies in its place.
    Quarantined,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl CallbackStatus {
    /// The name that people read.
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

/// A plugin that is or was loaded, or is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PluginView {
    /// The plugin's id.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The number of its loaded library among all loads and upgrades of that name in this host, starting at 1; `None`
    /// while none is loaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generation: Option<u64>,
    /// Whether its library is in the host.
    #[serde(default)]
    pub loaded: bool,
    /// Whether it runs.
    pub status: Status,
    /// Whether it does its work.
    #[serde(default)]
    pub health: Health,
    /// Why it does not.
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
    /// The sources and sinks that its note declares.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub endpoints: Vec<NoteEndpoint>,
    /// How much it tells by `tracing` and `log`.
    pub log_level: LogLevel,
    /// What it holds of memory, if it counts that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memory: Option<MemoryView>,
    /// The numbers that it counts itself.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub metrics: Vec<PluginMetric>,
    /// In which process its code runs, or would run; `None` for what is no longer loaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub isolation: Option<Placed>,
    /// The worker that its code runs in, if it is not the host's own process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worker: Option<WorkerView>,
    /// Its former generations, at most the last eight, oldest first.
    pub former: Vec<GenerationView>,
    /// What is installed of it, if the host has a store; `None` if it was loaded from a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub installed: Option<Listed>,
}

/// Whether a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// It is installed, and hosts do not load it.
    Disabled,
    /// Its instances are started and have paused their own work, and their callbacks are out of their chains.
    Halted,
    /// Its instances are started, and their callbacks are in their chains.
    Running,
    /// It has no instances. Either its library is loaded, or it is enabled and no host has loaded it.
    Stopped,
    /// Its callbacks are no longer in any chain, and threads are still in one of them.
    Stopping,
    /// It is no longer loaded; its former generations show how it ended.
    Unloaded,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// The name, in errors and in the program.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Disabled => "disabled",
            Status::Halted => "halted",
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
#[non_exhaustive]
pub struct GenerationView {
    /// Its number.
    pub generation: u64,
    /// Its version.
    pub version: String,
    /// How it ended; [`End::Busy`] while that is in progress.
    #[serde(flatten)]
    pub end: End,
    /// The number of thread-local destructors that were never run: `Ticket::skipped_destructors`.
    pub skipped_destructors: usize,
    /// The memory that it still held at the end, if it counts that: `Ticket::unfreed_memory`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unfreed_memory: Option<Memory>,
}

display_name!(CallbackStatus, EffectsView, FaultPolicyView, PointKind, PriorityOrigin, Status);

constructors! {
    /// A point that nobody dispatches, with an empty chain.
    PointView(point: impl Into<String>, kind: PointKind, revision: u32) {
        deniable: false,
        local: false,
        dispatched_by: None,
        level: StatsLevel::Off,
        tracers: 0,
        dispatches: 0,
        empty: 0,
        chain: Vec::new(),
    }

    /// A program, and its first version that dispatches the point.
    Dispatcher(program: impl Into<String>, since: impl Into<String>)

    /// The counts of calls.
    Calls(total: u64, skipped: u64, denied: u64)

    /// A plugin that is not loaded.
    PluginView(name: impl Into<String>, version: impl Into<String>, status: Status) {
        generation: None,
        loaded: false,
        health: Health::Good,
        reason: None,
        file: None,
        instances: Vec::new(),
        declared: Vec::new(),
        endpoints: Vec::new(),
        log_level: LogLevel::Off,
        memory: None,
        metrics: Vec::new(),
        isolation: None,
        worker: None,
        former: Vec::new(),
        installed: None,
    }

    /// A generation that left nothing behind.
    GenerationView(generation: u64, version: impl Into<String>, end: End) { skipped_destructors: 0, unfreed_memory: None }
}

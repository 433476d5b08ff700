//! What people see of a host: its points, chains and plugins, as owned values that can be
//! sent elsewhere.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use hookrail_abi::catalogue;
use serde::{Deserialize, Serialize};

use crate::chain::{Callback, Origin};
use crate::library::End;
use crate::registry::{PointState, Registry};

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
    /// What its fault means: `open` or `closed`.
    pub fault: Cow<'static, str>,
    /// Whether it runs; the operator may disable it.
    pub enabled: bool,
    /// How often it failed.
    pub faults: u64,
}

/// A loaded plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginView {
    /// The plugin's id.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its number among all loads and upgrades of that name in this host, from 1.
    pub generation: u64,
    /// Whether it runs.
    pub status: Status,
    /// Its instances; none while it is stopped.
    pub instances: Vec<String>,
    /// The generations before it, the last eight at most, oldest first.
    pub former: Vec<GenerationView>,
}

/// Whether a loaded plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its instances are started, and their callbacks stand in their chains.
    Running,
    /// It has no instances; its library is loaded.
    Stopped,
    /// Its callbacks are in no chain any more, and somebody is still in one of them.
    Stopping,
    /// It is not loaded any more; its former generations say how it ended.
    Unloaded,
}

impl Status {
    /// In the words of errors and of the program.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Stopped => "stopped",
            Status::Stopping => "being stopped",
            Status::Unloaded => "unloaded",
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
    /// How many destructors of thread-locals were never run: [`Ticket::skipped`](crate::Ticket::skipped).
    pub skipped: usize,
}

/// Every point: those declared here, and those of the catalogue that nobody dispatches yet.
pub(crate) fn points(registry: &Registry) -> Vec<PointView> {
    let mut views = Vec::new();
    registry.each(|state, callbacks| views.push(PointView::of(state, callbacks)));
    for planned in catalogue::BUILT_IN.iter().filter(|built_in| built_in.revision == 0) {
        views.push(PointView {
            point: planned.name.into(),
            kind: planned.kind.name().into(),
            revision: 0,
            deniable: false,
            local: false,
            dispatched_by: None,
            chain: Vec::new(),
        });
    }
    views.sort_by(|a, b| a.point.cmp(&b.point));
    views
}

impl PointView {
    fn of(state: &PointState, callbacks: &[std::sync::Arc<Callback>]) -> Self {
        let built_in = catalogue::BUILT_IN.iter().find(|built_in| built_in.name == state.chain.point);
        PointView {
            point: state.chain.point.into(),
            kind: state.chain.kind.name().into(),
            revision: state.revision,
            deniable: state.chain.deniable,
            local: state.is_local(),
            dispatched_by: built_in
                .and_then(|point| point.dispatched_by)
                .map(|(by, since)| format!("{by}, since {since}")),
            chain: callbacks.iter().map(|callback| CallbackView::of(callback)).collect(),
        }
    }
}

impl CallbackView {
    fn of(callback: &Callback) -> Self {
        let (origin, declared) = match callback.origin {
            Origin::BuiltIn => ("built-in", None),
            Origin::Declared => ("declared", None),
            Origin::Overridden(declared) => ("overridden", Some(declared)),
        };
        CallbackView {
            priority: callback.priority,
            origin: origin.into(),
            declared,
            instance: callback.instance.to_string(),
            callback: callback.name.to_string(),
            effects: callback.effects.name().into(),
            fault: callback.fault.name().into(),
            enabled: callback.enabled,
            faults: callback.faults.load(Ordering::Relaxed),
        }
    }
}

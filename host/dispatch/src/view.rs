//! The points of a host with their chains, as people see them.

use hookrail_abi::catalogue;
use hookrail_model::stats::StatsLevel;
use hookrail_model::view::{CallbackStatus, CallbackView, Calls, PointView};

use crate::chain::{self, Callback, Origin};
use crate::registry::{Look, Registry};

/// Every point: those declared here, and those of the catalogue that no program dispatches yet.
pub fn points(registry: &Registry) -> Vec<PointView> {
    let mut views = Vec::new();
    registry.each(|look| views.push(point_view(look)));
    for planned in catalogue::BUILT_IN.iter().filter(|built_in| built_in.revision == 0) {
        views.push(PointView {
            point: planned.name.into(),
            kind: planned.kind.name().into(),
            revision: 0,
            deniable: false,
            local: false,
            dispatched_by: None,
            level: StatsLevel::Off,
            tracers: 0,
            dispatches: 0,
            empty: 0,
            chain: Vec::new(),
        });
    }
    views.sort_by(|a, b| a.point.cmp(&b.point));
    views
}

fn point_view(look: &Look<'_>) -> PointView {
    let Look { state, callbacks, level, tracers, counts } = *look;
    let built_in = catalogue::BUILT_IN.iter().find(|built_in| built_in.name == state.chain.facts.point);
    PointView {
        point: state.chain.facts.point.into(),
        kind: state.chain.facts.kind.name().into(),
        revision: state.revision,
        deniable: state.chain.facts.deniable,
        local: state.is_local(),
        dispatched_by: built_in.and_then(|point| point.dispatched_by).map(|(by, since)| format!("{by}, since {since}")),
        level,
        tracers,
        dispatches: counts.dispatches,
        empty: counts.empty,
        chain: callbacks.iter().map(|callback| callback_view(callback)).collect(),
    }
}

fn callback_view(callback: &Callback) -> CallbackView {
    let (origin, declared_priority) = match callback.origin {
        Origin::BuiltIn => ("built-in", None),
        Origin::Declared => ("declared", None),
        Origin::Overridden(declared) => ("overridden", Some(declared)),
    };
    let record = &callback.record;
    let state = callback.state.lock().clone();
    CallbackView {
        priority: callback.priority,
        origin: origin.into(),
        declared_priority,
        instance: callback.instance.to_string(),
        callback: callback.name.to_string(),
        effects: callback.effects.name().into(),
        fault_policy: callback.fault.name().into(),
        enabled: callback.enabled,
        status: match state {
            _ if !callback.enabled => CallbackStatus::Disabled,
            chain::CallbackState::Absent => CallbackStatus::Absent,
            chain::CallbackState::Armed => CallbackStatus::Armed,
            chain::CallbackState::HalfOpen(_) => CallbackStatus::HalfOpen,
            chain::CallbackState::Quarantined(_) => CallbackStatus::Quarantined,
        },
        reason: state.reason().map(str::to_owned),
        budget_ns: callback.budget,
        faults: record.faults(),
        last_fault: record.last_fault(),
        slow: record.times_slow(),
        stuck: record.times_stuck(),
        stuck_now: record.stuck_now(),
        calls: Calls {
            total: record.calls(),
            stopped: record.sum(|counts| &counts.stops),
            denied: record.sum(|counts| &counts.denials),
        },
        latency: record.latency(),
    }
}

//! The points of a host with their chains, as people see them.

use hookrail_abi::{Priority, catalogue};
use hookrail_model::view::{CallbackStatus, CallbackView, Calls, Dispatcher, PointView, PriorityOrigin};

use crate::chain::{self, Callback};
use crate::registry::{Look, Registry};

/// Every point: those declared here, and those of the catalogue that no program dispatches yet.
pub fn points(registry: &Registry) -> Vec<PointView> {
    let mut views = Vec::new();
    registry.each(|look| views.push(point_view(look, registry.program.get())));
    for planned in catalogue::BUILT_IN.iter().filter(|built_in| built_in.revision == 0) {
        views.push(PointView::new(planned.name, planned.kind.into(), 0));
    }
    views.sort_by(|a, b| a.point.cmp(&b.point));
    views
}

fn point_view(look: &Look<'_>, program: Option<&&str>) -> PointView {
    let Look { state, callbacks, level, tracers, counts } = *look;
    let built_in = catalogue::BUILT_IN.iter().find(|built_in| built_in.name == state.chain.facts.point);
    let mut view = PointView::new(state.chain.facts.point, state.chain.facts.kind.into(), state.revision);
    view.deniable = state.chain.facts.deniable;
    view.local = state.is_local();
    // Another program may dispatch it or not, which is not known here.
    let by = built_in.and_then(|point| point.dispatched_by).filter(|(by, _)| program == Some(by));
    view.dispatched_by = by.map(|(program, since)| Dispatcher::new(program, since));
    (view.level, view.tracers) = (level, tracers);
    (view.dispatches, view.empty) = (counts.dispatches, counts.empty);
    view.chain = callbacks.iter().map(|callback| callback_view(callback)).collect();
    view
}

fn callback_view(callback: &Callback) -> CallbackView {
    let record = &callback.record;
    let state = callback.state.lock().clone();
    let (terms, declared) = (callback.terms, callback.declared);
    let mut view = CallbackView::new(&*callback.instance, &*callback.name, terms.priority);
    (view.priority_origin, view.declared_priority) = match terms.priority {
        _ if declared.priority == Priority::BUILT_IN.number() => (PriorityOrigin::BuiltIn, None),
        priority if priority == declared.priority => (PriorityOrigin::Declared, None),
        _ => (PriorityOrigin::Overridden, Some(declared.priority)),
    };
    view.declared_fault_policy = (terms.fault != declared.fault).then(|| declared.fault.into());
    view.overridden_by = callback.overridden_by;
    view.effects = callback.effects.into();
    view.fault_policy = terms.fault.into();
    view.enabled = terms.enabled;
    view.status = match state {
        _ if !terms.enabled => CallbackStatus::Disabled,
        chain::CallbackState::Absent => CallbackStatus::Absent,
        chain::CallbackState::Armed => CallbackStatus::Armed,
        chain::CallbackState::HalfOpen(_) => CallbackStatus::HalfOpen,
        chain::CallbackState::Quarantined(_) => CallbackStatus::Quarantined,
    };
    view.reason = state.reason().map(str::to_owned);
    view.budget_ns = terms.budget;
    (view.faults, view.last_fault) = (record.faults(), record.last_fault());
    view.missed = record.times_missed();
    (view.slow, view.stuck, view.stuck_now) = (record.times_slow(), record.times_stuck(), record.stuck_now());
    let (skipped, denied) = (record.sum(|counts| &counts.stops), record.sum(|counts| &counts.denials));
    view.calls = Calls::new(record.calls(), skipped, denied);
    view.latency = record.latency();
    view
}

//! Points and chains in readable form.

use std::fmt::Write;

use hookrail::{CallbackStatus, CallbackView, FaultPolicyView, Origin, PointView, StatsLevel};

use crate::table::{Column, Target, table};
use crate::{harmless, print};

/// The dispatched points, each with its chain; the planned ones after them, in short.
pub(super) fn all(points: &[PointView]) -> String {
    let (planned, dispatched): (Vec<_>, Vec<_>) = points.iter().partition(|view| view.revision == 0);
    let mut text = String::new();
    for view in dispatched {
        let _ = write!(text, "{}\n\n", one(view));
    }
    text.push_str("planned: no host dispatches these yet, and plugins that hook them are refused\n");
    let rows = planned.iter().map(|view| vec![view.point.clone(), view.kind.to_string()]);
    text.push_str(&table(Target::Stdout, &[Column::Text("point"), Column::Text("kind")], rows));
    text
}

pub(super) fn one(view: &PointView) -> String {
    let mut text = format!("{}: {}", print::bold(&view.point), harmless::part(about(view)));
    if view.chain.is_empty() {
        text.push_str("\n  no callbacks");
    } else {
        text.push('\n');
        text.push_str(&chain(&view.chain));
    }
    text
}

pub(super) fn about(view: &PointView) -> String {
    let mut about = view.kind.to_string();
    if view.deniable {
        about.push_str(", may be denied");
    }
    if view.local {
        about.push_str(", local");
    }
    if view.revision > 0 {
        let _ = write!(about, ", revision {}", view.revision);
    }
    if view.level > StatsLevel::Off {
        let _ = write!(about, ", level {}", view.level.name());
    }
    about.push_str(&traced(view));
    match &view.dispatched_by {
        Some(by) => _ = write!(about, ", dispatched by {}, since {}", by.program, by.since),
        None if view.revision == 0 => about.push_str(", planned: no host dispatches it yet"),
        None => {}
    }
    about
}

/// The number of active tracers, if any: they slow the point.
pub(super) fn traced(view: &PointView) -> String {
    if view.tracers == 0 { String::new() } else { format!(", traced by {}", view.tracers) }
}

/// A chain, in the order in which it runs.
pub(crate) fn chain(chain: &[CallbackView]) -> String {
    let columns = [
        Column::Number("order"),
        Column::Number("priority"),
        Column::Text("origin"),
        Column::Text("callback"),
        Column::Text("effects"),
        Column::Text("on fault"),
    ];
    let mut order = 0;
    let rows = chain.iter().map(|entry| {
        order += u32::from(entry.enabled);
        vec![
            if entry.enabled { order.to_string() } else { "off".into() },
            entry.priority.to_string(),
            origin(entry),
            entry.callback.clone(),
            entry.effects.to_string(),
            fault(entry).into(),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

/// What its fault means.
pub(crate) fn fault(entry: &CallbackView) -> &'static str {
    match entry.fault_policy {
        FaultPolicyView::Closed => "deny",
        FaultPolicyView::Open => "go on",
        FaultPolicyView::Rollback => "put back, go on",
        _ => entry.fault_policy.name(),
    }
}

/// Where its priority comes from.
pub(crate) fn origin(entry: &CallbackView) -> String {
    let origin = match entry.declared_priority {
        Some(declared) => format!("overridden, was {declared}"),
        None if entry.overridden_by.is_some() => "overridden".into(),
        None => entry.priority_origin.to_string(),
    };
    let origin = match entry.overridden_by {
        Some(Origin::Host) => format!("{origin}, in the configuration"),
        _ => origin,
    };
    if entry.status == CallbackStatus::Armed { origin } else { format!("{}, {origin}", entry.status.name()) }
}

#[cfg(test)]
pub(super) mod tests {
    use hookrail::{EffectsView, PriorityOrigin};

    use super::*;

    pub(in super::super) fn entry(callback: &str, priority: i32) -> CallbackView {
        let mut entry = CallbackView::new("a", callback, priority);
        entry.effects = EffectsView::Pure;
        entry
    }

    #[test]
    fn a_disabled_callback_is_shown_but_has_no_place_in_the_order() {
        let mut off = entry("off", 2);
        (off.enabled, off.status) = (false, CallbackStatus::Disabled);
        let text = chain(&[entry("first", 1), off, entry("second", 3)]);
        let orders: Vec<_> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(orders, ["1", "off", "2"], "{text}");
        assert!(text.contains("disabled, declared"), "{text}");
    }

    #[test]
    fn an_override_shows_what_the_plugin_declared() {
        let mut overridden = entry("x", 7);
        (overridden.priority_origin, overridden.declared_priority) = (PriorityOrigin::Overridden, Some(500));
        assert_eq!(origin(&overridden), "overridden, was 500");
    }
}

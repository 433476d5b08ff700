//! Why callbacks have their places.

use std::time::Duration;

use hookrail::{CallbackStatus, CallbackView, FaultPolicyView, Origin, PointView, PriorityOrigin};

use super::text::{about, fault};
use crate::table::{Column, Target, table};
use crate::{duration, harmless, print};

/// A point in readable form: each callback with its place and the reason for it.
pub(super) fn explain(view: &PointView) -> String {
    let mut text = format!("{}: {}\n", print::bold(&view.point), harmless::part(about(view)));
    text.push_str("callbacks run in ascending order of priority, then of instance, then of callback\n");
    if view.chain.is_empty() {
        text.push_str("  no callbacks");
        return text;
    }
    let columns = [
        Column::Number("order"),
        Column::Number("priority"),
        Column::Text("callback"),
        Column::Text("on fault"),
        Column::Text("why"),
    ];
    let mut order = 0;
    let rows = view.chain.iter().enumerate().map(|(index, entry)| {
        order += u32::from(entry.enabled);
        vec![
            if entry.enabled { order.to_string() } else { "off".into() },
            entry.priority.to_string(),
            entry.callback.clone(),
            fault(entry).into(),
            why(entry, index.checked_sub(1).map(|before| &view.chain[before])),
        ]
    });
    text.push_str(&table(Target::Stdout, &columns, rows));
    text
}

/// Where its priority comes from, why it comes after its neighbour, its time budget, and whether it is called.
fn why(entry: &CallbackView, before: Option<&CallbackView>) -> String {
    let mut why = match (entry.declared_priority, entry.priority_origin) {
        (Some(declared), _) => format!("{} {}, it declares {declared}", says(entry), entry.priority),
        (None, PriorityOrigin::BuiltIn) => "built in".into(),
        (None, _) => format!("it declares {}", entry.priority),
    };
    if let Some(declared) = entry.declared_fault_policy {
        let (now, before) = (entry.fault_policy.name(), declared.name());
        why.push_str(&format!("; on a fault {} {now}, it declares {before}", says(entry)));
    }
    if let Some(before) = before.filter(|before| before.priority == entry.priority) {
        let by = if before.instance == entry.instance { "callback" } else { "instance" };
        why.push_str(&format!("; a tie with {}: the name of the {by} decides", before.callback));
    }
    if let Some(budget) = entry.budget_ns {
        why.push_str(&format!("; a call may take {}", duration::text(Duration::from_nanos(budget))));
    }
    let reason = entry.reason.as_deref().unwrap_or_default();
    let in_its_place = if entry.fault_policy == FaultPolicyView::Closed {
        "the host denies in its place"
    } else {
        "it is passed over"
    };
    match entry.status {
        CallbackStatus::Absent => why.push_str(&format!("; absent, {in_its_place}: {reason}")),
        CallbackStatus::Armed => {}
        CallbackStatus::Disabled if entry.overridden_by == Some(Origin::Host) => {
            why.push_str("; disabled by the host's configuration")
        }
        CallbackStatus::Disabled => why.push_str("; disabled by the operator"),
        CallbackStatus::HalfOpen => {
            why.push_str(&format!("; half-open, the next call decides; quarantined for {reason}"))
        }
        CallbackStatus::Quarantined => why.push_str(&format!("; quarantined, {in_its_place}: {reason}")),
        _ => why.push_str(&format!("; {}", entry.status.name())),
    }
    why
}

/// Who overrides what it declares.
fn says(entry: &CallbackView) -> &'static str {
    match entry.overridden_by {
        Some(Origin::Host) => "the host's configuration says",
        _ => "the operator says",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(priority: i32) -> CallbackView {
        super::super::text::tests::entry("x", priority)
    }

    #[test]
    fn each_reason_has_its_words() {
        let with = |change: fn(&mut CallbackView)| {
            let mut entry = entry(7);
            change(&mut entry);
            entry
        };
        assert_eq!(why(&entry(7), None), "it declares 7");
        let overridden = with(|entry| entry.declared_priority = Some(500));
        assert_eq!(why(&overridden, None), "the operator says 7, it declares 500");
        let in_file = with(|entry| (entry.declared_priority, entry.overridden_by) = (Some(500), Some(Origin::Host)));
        assert_eq!(why(&in_file, None), "the host's configuration says 7, it declares 500");
        let denies = with(|entry| {
            (entry.fault_policy, entry.declared_fault_policy) = (FaultPolicyView::Closed, Some(FaultPolicyView::Open));
        });
        assert_eq!(why(&denies, None), "it declares 7; on a fault the operator says closed, it declares open");
        let other = with(|entry| entry.instance = "b".into());
        assert_eq!(why(&other, Some(&entry(7))), "it declares 7; a tie with a/x: the name of the instance decides");
        let off = with(|entry| (entry.status, entry.enabled) = (CallbackStatus::Disabled, false));
        assert_eq!(why(&off, Some(&entry(6))), "it declares 7; disabled by the operator");
        let limited = with(|entry| entry.budget_ns = Some(500_000));
        assert_eq!(why(&limited, None), "it declares 7; a call may take 500 µs");
        let closed = with(|entry| {
            (entry.status, entry.fault_policy) = (CallbackStatus::Quarantined, FaultPolicyView::Closed);
            entry.reason = Some("10 faults".into());
        });
        assert_eq!(why(&closed, None), "it declares 7; quarantined, the host denies in its place: 10 faults");
    }
}

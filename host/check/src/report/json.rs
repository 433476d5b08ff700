//! The report for programs, as JSON.

use serde_json::{Map, Value, json};

use super::{Outcome, Report};

/// The whole report.
pub fn json(report: &Report<'_>) -> Value {
    let counts: Map<_, _> =
        report.counts().into_iter().map(|(name, count)| (name.replace(' ', "-"), count.into())).collect();
    json!({
        "plugin": report.plugin,
        "version": report.version,
        "file": report.file,
        "seed": report.plan.seed,
        "strictness": report.strictness,
        "quick": report.plan.is_quick,
        "isolation": report.isolation(),
        "wish": report.wish,
        "took_ms": report.took.as_millis() as u64,
        "summary": counts,
        "checks": report.outcomes.iter().map(|outcome| one(report, outcome)).collect::<Vec<_>>(),
    })
}

fn one(report: &Report<'_>, outcome: &Outcome) -> Value {
    let mut value = json!({
        "name": outcome.check.name,
        "kind": outcome.check.kind,
        "level": outcome.check.level,
        "took_ms": outcome.took.as_millis() as u64,
        "doing": outcome.doing,
        "output": outcome.output,
        "command": (report.again)(outcome.check),
    });
    // `status`, `detail`, and `signal` if there is one.
    if let (Value::Object(value), Ok(Value::Object(answer))) = (&mut value, serde_json::to_value(&outcome.answer)) {
        value.extend(answer);
    }
    value
}

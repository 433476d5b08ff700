//! The difference between two configurations.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One key whose value differs.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Change {
    /// Its path, with dots; empty for the configuration as a whole.
    key: String,
    /// Absent if the key is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// Absent if the key is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

/// What changes from one configuration to the other, by key.
pub(super) fn between(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut changes);
    changes
}

fn compare(key: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        // The keys of a first configuration are new ones.
        (Some(Value::Null), Some(after @ Value::Object(_))) if key.is_empty() => {
            compare(key, Some(&Value::Object(Default::default())), Some(after), changes);
        }
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                compare(key, before.get(name), after.get(name), changes);
            }
        }
        (before, after) => changes.push(Change { key, before: before.cloned(), after: after.cloned() }),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { "the whole" } else { &self.key };
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{key}: {before} -> {after}"),
            (Some(before), None) => write!(f, "{key}: {before} -> removed"),
            (None, Some(after)) => write!(f, "{key}: new, {after}"),
            (None, None) => unreachable!("a change has a value before it or after it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_told_key_by_key() {
        let before = json!({ "same": 1, "gone": true, "inner": { "a": 1, "b": [1] } });
        let after = json!({ "same": 1, "new": "x", "inner": { "a": 1, "b": [2] } });
        let told: Vec<_> = between(&before, &after).iter().map(Change::to_string).collect();
        assert_eq!(told, ["gone: true -> removed", "inner.b: [1] -> [2]", "new: new, \"x\""]);
        assert_eq!(between(&Value::Null, &json!({ "a": 1 }))[0].to_string(), "a: new, 1");
        assert_eq!(between(&json!([1]), &json!(2))[0].to_string(), "the whole: [1] -> 2");
        assert_eq!(between(&before, &before), []);
    }
}

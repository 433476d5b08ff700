//! The fields of a payload's JSON, by their names: `topic`, `request.path`, `headers.KEY`.

use std::collections::BTreeSet;

use serde_json::Value;

/// The largest number of names that is kept: a header's key may be anything.
const MOST_NAMES: usize = 32;

/// All values of a field; several if a list of pairs contains its key more than once.
///
/// Dots lead into objects, and into lists of pairs as if they were objects. A name may itself contain dots.
pub(super) fn values<'a>(payload: &'a Value, field: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for (name, value) in members(payload) {
        match field.strip_prefix(name) {
            Some("") => found.push(value),
            Some(rest) => found.extend(rest.strip_prefix('.').into_iter().flat_map(|rest| values(value, rest))),
            None => {}
        }
    }
    found
}

/// Adds the names of all fields, in the form that [`values`] takes, up to the limit.
pub(super) fn names(payload: &Value, names: &mut BTreeSet<String>) {
    add(payload, "", names);
}

fn add(value: &Value, prefix: &str, names: &mut BTreeSet<String>) {
    for (name, value) in members(value) {
        if names.len() == MOST_NAMES {
            return;
        }
        if members(value).is_empty() {
            names.insert(format!("{prefix}{name}"));
        } else {
            add(value, &format!("{prefix}{name}."), names);
        }
    }
}

/// The members of an object or of a list of pairs; nothing else has names.
fn members(value: &Value) -> Vec<(&str, &Value)> {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Value::Array(pairs) => pairs.iter().map(pair).collect::<Option<_>>().unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn pair(value: &Value) -> Option<(&str, &Value)> {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(name), value]) => Some((name, value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload() -> Value {
        json!({
            "body": "x", "headers": [["a.b", "1"], ["k", "2"], ["k", "3"]], "request": {"path": {"host": "h"}},
            "empty": [], "list": ["a", "b"], "mixed": [["a", 1], 2],
        })
    }

    #[test]
    fn dots_lead_into_objects_and_lists_of_pairs() {
        let check = |field: &str, expected: Value| {
            assert_eq!(serde_json::to_value(values(&payload(), field)).unwrap(), expected, "{field}");
        };
        check("body", json!(["x"]));
        check("headers.k", json!(["2", "3"]));
        check("headers.a.b", json!(["1"]));
        check("request.path.host", json!(["h"]));
        check("request.path", json!([{"host": "h"}]));
        for none in ["", "bod", "body.", "body.x", "headers.", "headers.a", "path", "list.a", "mixed.a", "headersk"] {
            check(none, json!([]));
        }
        assert!(values(&Value::Null, "body").is_empty());
    }

    #[test]
    fn each_field_has_the_name_that_finds_it() {
        let mut found = BTreeSet::new();
        names(&payload(), &mut found);
        let all = ["body", "empty", "headers.a.b", "headers.k", "list", "mixed", "request.path.host"];
        assert_eq!(found, all.map(str::to_owned).into());
        for name in &found {
            assert!(!values(&payload(), name).is_empty(), "{name}");
        }
    }

    #[test]
    fn names_that_never_end_are_not_all_kept() {
        let mut found = BTreeSet::new();
        for number in 0..1000 {
            names(&json!({ "headers": [[number.to_string(), ""]] }), &mut found);
        }
        assert_eq!(found.len(), MOST_NAMES);
    }
}

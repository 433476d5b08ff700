//! `config set NAME KEY=VALUE`: one key of a configuration, with a value of the type that the plugin's JSON Schema
//! demands.

use hookrail_cuttlefish::{Alternatives, types};
use serde_json::{Map, Value};

/// Sets the key, whose dots lead into nested objects. Whatever else stands in the way is replaced: the schema decides
/// whether that may be.
pub(super) fn assign(config: &mut Value, key: &str, text: &str, schema: Option<&Value>) {
    let mut place = config;
    let mut allowed = schema.map(Alternatives::of);
    for word in key.split('.') {
        if !place.is_object() {
            *place = Map::new().into();
        }
        place = place.as_object_mut().expect("it was just made one").entry(word).or_insert(Value::Null);
        allowed = allowed.map(|allowed| property(&allowed, word));
    }
    let types = allowed.map(|allowed| allowed.iter().flat_map(types).collect::<Vec<_>>());
    *place = value(text, &types.unwrap_or_default());
}

/// The value for a text: the text itself where the schema wants a string, a JSON literal elsewhere. Without types,
/// whatever is not JSON is a string.
fn value(text: &str, types: &[&str]) -> Value {
    let is_meant = |literal: &Value| match literal {
        _ if !types.contains(&"string") => true,
        Value::Array(_) => types.contains(&"array"),
        Value::Bool(_) => types.contains(&"boolean"),
        Value::Null => types.contains(&"null"),
        Value::Number(number) => types.contains(&"number") || types.contains(&"integer") && !number.is_f64(),
        Value::Object(_) => types.contains(&"object"),
        Value::String(_) => false,
    };
    serde_json::from_str(text).ok().filter(is_meant).unwrap_or_else(|| text.into())
}

/// What the schema says about a property of the objects at that place.
fn property<'a>(objects: &Alternatives<'a>, name: &str) -> Alternatives<'a> {
    let listed = |node: &'a Map<String, Value>| node.get("properties")?.get(name);
    let nodes = objects.iter().filter_map(|node| listed(node).or_else(|| node.get("additionalProperties")));
    objects.elsewhere(nodes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_has_the_type_that_the_schema_wants() {
        let schema = json!({
            "$defs": { "Level": { "oneOf": [{ "type": "string", "const": "warn" }] } },
            "properties": {
                "word": { "type": "string" },
                "name": { "type": ["string", "null"] },
                "rate": { "type": "integer" },
                "either": { "anyOf": [{ "type": "string" }, { "type": "integer" }] },
                "level": { "$ref": "#/$defs/Level" },
                "patterns": { "type": "array" },
                "inner": { "properties": { "word": { "type": "string" } } },
                "map": { "additionalProperties": { "type": "string" } }
            }
        });
        for (key, text, config) in [
            ("word", "1", json!({ "word": "1" })),
            ("word", "null", json!({ "word": "null" })),
            ("word", "\"a\"", json!({ "word": "\"a\"" })),
            ("word", "", json!({ "word": "" })),
            ("name", "null", json!({ "name": null })),
            ("name", "true", json!({ "name": "true" })),
            ("rate", "1", json!({ "rate": 1 })),
            ("rate", "many", json!({ "rate": "many" })),
            ("either", "1", json!({ "either": 1 })),
            ("either", "1.5", json!({ "either": "1.5" })),
            ("level", "warn", json!({ "level": "warn" })),
            ("patterns", "[\"a\"]", json!({ "patterns": ["a"] })),
            ("inner.word", "1", json!({ "inner": { "word": "1" } })),
            ("map.any", "1", json!({ "map": { "any": "1" } })),
            ("other", "1", json!({ "other": 1 })),
        ] {
            let mut assigned = Value::Null;
            assign(&mut assigned, key, text, Some(&schema));
            assert_eq!(assigned, config, "{key}={text}");
        }
    }

    #[test]
    fn without_a_schema_what_is_no_json_is_text() {
        let mut config = json!({ "a": { "b": 1, "c": 2 }, "d": 3 });
        for (key, text) in [("a.b", "two"), ("d.e", "true"), ("f", "\"1\"")] {
            assign(&mut config, key, text, None);
        }
        assert_eq!(config, json!({ "a": { "b": "two", "c": 2 }, "d": { "e": true }, "f": "1" }));
    }
}

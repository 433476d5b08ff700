//! How a JSON Schema is read at one place.

use serde_json::{Map, Value};

/// What a JSON Schema says about one place of a document: it may have several alternatives (`allOf`, `anyOf`, `oneOf`,
/// or a `$ref`), or none, which allows anything.
#[derive(Clone, Debug)]
pub struct Alternatives<'a> {
    schema: &'a Value,
    nodes: Vec<&'a Map<String, Value>>,
}

impl<'a> Alternatives<'a> {
    /// Those of the whole document.
    pub fn of(schema: &'a Value) -> Self {
        Alternatives { schema, nodes: Vec::new() }.elsewhere([schema])
    }

    /// Those of a place for which other nodes of the same schema are.
    #[must_use]
    pub fn elsewhere(&self, nodes: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut alternatives = Alternatives { schema: self.schema, nodes: Vec::new() };
        nodes.into_iter().for_each(|node| alternatives.add(node));
        alternatives
    }

    fn add(&mut self, node: &'a Value) {
        let Some(node) = node.as_object() else { return };
        // A reference to itself adds nothing.
        if self.nodes.iter().any(|known| std::ptr::eq(*known, node)) {
            return;
        }
        self.nodes.push(node);
        let reference = node.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        if let Some(target) = reference.and_then(|path| self.schema.pointer(path)) {
            self.add(target);
        }
        let several = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key)?.as_array());
        several.flatten().for_each(|node| self.add(node));
    }

    /// The alternatives themselves.
    pub fn iter(&self) -> impl Iterator<Item = &'a Map<String, Value>> {
        self.nodes.iter().copied()
    }

    /// What each alternative that has this keyword says under it.
    pub fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.iter().filter_map(move |node| node.get(keyword))
    }
}

/// The names of the types that one alternative allows; none, if it does not restrict them.
pub fn types(alternative: &Map<String, Value>) -> Vec<&str> {
    match alternative.get("type") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    }
}

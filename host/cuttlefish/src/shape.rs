//! What a JSON Schema allows at one place of a configuration.

use serde_json::{Map, Value};

use super::unit::Unit;

/// All alternatives for one place: a schema may have several (`anyOf`, `oneOf`, or a `$ref`).
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    root: &'a Value,
    alternatives: Vec<&'a Map<String, Value>>,
}

impl<'a> Shape<'a> {
    /// The shape of the whole configuration; without a schema anything is allowed.
    pub(super) fn of(schema: Option<&'a Value>) -> Self {
        static ANYTHING: Value = Value::Bool(true);
        let root = schema.unwrap_or(&ANYTHING);
        Shape::at(root, root)
    }

    fn at(root: &'a Value, node: &'a Value) -> Self {
        let mut shape = Shape { root, alternatives: Vec::new() };
        shape.add(node);
        shape
    }

    fn add(&mut self, node: &'a Value) {
        let Some(node) = node.as_object() else { return };
        // A reference to itself adds nothing.
        if self.alternatives.iter().any(|known| std::ptr::eq(*known, node)) {
            return;
        }
        self.alternatives.push(node);
        let reference = node.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        if let Some(target) = reference.and_then(|path| self.root.pointer(path)) {
            self.add(target);
        }
        let several = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key)?.as_array());
        several.flatten().for_each(|node| self.add(node));
    }

    /// The property that a word of a key stands for, and what is allowed there. If there is none, the known names.
    pub(super) fn property(&self, word: &str, text: &str) -> Result<(String, Shape<'a>), Vec<&'a str>> {
        let listed = || self.all("properties").filter_map(Value::as_object).flatten();
        let exact = listed().find(|(name, _)| *name == word);
        let alike = || listed().find(|(name, _)| folded(name) == folded(word));
        // `timeout = 5s` is what `timeout_ms` takes.
        let counted = || {
            listed().find(|(name, _)| {
                let (stem, unit) = Unit::of(name);
                unit.is_some_and(|unit| folded(stem) == folded(word) && unit.is_written_in(text))
            })
        };
        if let Some((name, node)) = exact.or_else(alike).or_else(counted) {
            return Ok((name.clone(), Shape::at(self.root, node)));
        }
        let patterns = self.all("patternProperties").filter_map(Value::as_object).flat_map(Map::values);
        let others = self.all("additionalProperties").filter(|others| **others != Value::Bool(false));
        match patterns.chain(others).next() {
            Some(node) => Ok((word.into(), Shape::at(self.root, node))),
            None if self.is_anything() => Ok((word.into(), Shape { root: self.root, alternatives: Vec::new() })),
            None => Err(listed().map(|(name, _)| name.as_str()).collect()),
        }
    }

    /// What its elements may be, if it may be an array.
    pub(super) fn element(&self) -> Option<Shape<'a>> {
        if let Some(items) = self.all("items").next() {
            return Some(Shape::at(self.root, items));
        }
        self.kinds().contains(&"array").then(|| Shape { root: self.root, alternatives: Vec::new() })
    }

    /// The allowed types, except those of which only certain values are allowed.
    pub(super) fn kinds(&self) -> Vec<&'a str> {
        let free = self.alternatives.iter().filter(|node| !node.contains_key("enum") && !node.contains_key("const"));
        let types = free.filter_map(|node| node.get("type")).flat_map(|types| match types {
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            one => Vec::from_iter(one.as_str()),
        });
        types.filter(|kind| *kind != "null").collect()
    }

    /// The single values that are allowed.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a Value> {
        let several = self.all("enum").filter_map(Value::as_array).flatten();
        several.chain(self.all("const")).filter(|value| !value.is_null())
    }

    /// Whether it says nothing about objects.
    fn is_anything(&self) -> bool {
        let kinds = self.kinds();
        self.all("properties").next().is_none()
            && self.all("additionalProperties").next().is_none()
            && self.values().next().is_none()
            && (kinds.is_empty() || kinds.contains(&"object"))
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &'a Value> {
        self.alternatives.iter().filter_map(move |node| node.get(key)).collect::<Vec<_>>().into_iter()
    }
}

/// The name without the differences in spelling between the two formats.
fn folded(name: &str) -> String {
    name.replace('-', "_").to_ascii_lowercase()
}

//! What a JSON Schema allows at one place of a configuration.

use serde_json::{Map, Value};

use super::alternatives::{Alternatives, types};
use super::unit::Unit;

/// What values one place may have.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a>(Alternatives<'a>);

impl<'a> Shape<'a> {
    /// The shape of the whole configuration; without a schema anything is allowed.
    pub(super) fn of(schema: Option<&'a Value>) -> Self {
        static ANYTHING: Value = Value::Bool(true);
        Shape(Alternatives::of(schema.unwrap_or(&ANYTHING)))
    }

    fn at(&self, node: &'a Value) -> Self {
        Shape(self.0.elsewhere([node]))
    }

    fn anything(&self) -> Self {
        Shape(self.0.elsewhere([]))
    }

    /// The property that a word of a key stands for, and what is allowed there. If there is none, the known names.
    pub(super) fn property(&self, word: &str, text: &str) -> Result<(String, Shape<'a>), Vec<&'a str>> {
        let listed = || self.0.all("properties").filter_map(Value::as_object).flatten();
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
            return Ok((name.clone(), self.at(node)));
        }
        let patterns = self.0.all("patternProperties").filter_map(Value::as_object).flat_map(Map::values);
        let others = self.0.all("additionalProperties").filter(|others| **others != Value::Bool(false));
        match patterns.chain(others).next() {
            Some(node) => Ok((word.into(), self.at(node))),
            None if self.is_anything() => Ok((word.into(), self.anything())),
            None => Err(listed().map(|(name, _)| name.as_str()).collect()),
        }
    }

    /// What its elements may be, if it may be an array.
    pub(super) fn element(&self) -> Option<Shape<'a>> {
        if let Some(items) = self.0.all("items").next() {
            return Some(self.at(items));
        }
        self.kinds().contains(&"array").then(|| self.anything())
    }

    /// The allowed types, except those of which only certain values are allowed.
    pub(super) fn kinds(&self) -> Vec<&'a str> {
        let free = self.0.iter().filter(|node| !node.contains_key("enum") && !node.contains_key("const"));
        free.flat_map(types).filter(|kind| *kind != "null").collect()
    }

    /// The single values that are allowed.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a Value> {
        let several = self.0.all("enum").filter_map(Value::as_array).flatten();
        several.chain(self.0.all("const")).filter(|value| !value.is_null())
    }

    /// Whether it says nothing about objects.
    fn is_anything(&self) -> bool {
        let kinds = self.kinds();
        self.0.all("properties").next().is_none()
            && self.0.all("additionalProperties").next().is_none()
            && self.values().next().is_none()
            && (kinds.is_empty() || kinds.contains(&"object"))
    }
}

/// The name without the differences in spelling between the two formats.
fn folded(name: &str) -> String {
    name.replace('-', "_").to_ascii_lowercase()
}

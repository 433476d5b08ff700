//! From the lines of a cuttlefish file to the configuration of a plugin.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use serde_json::{Map, Value};

use super::nearest::nearest;
use super::parse::{Entry, Mistake, Mistakes};
use super::shape::Shape;
use super::value::typed;

/// Converts the lines to the configuration of `plugin`, with the names and types of its schema. Without a schema every
/// value is text. If a key is repeated, its last line counts.
///
/// # Errors
/// If a line does not fit the schema, or can be read in two ways: all such lines.
pub fn convert(entries: &[Entry], schema: Option<&Value>, plugin: &str) -> Result<Value, Mistakes> {
    let (mut tree, mut mistakes) = (Tree::default(), Vec::new());
    for entry in entries {
        let placed = tree.place(entry, &entry.path[prefix(&entry.path, plugin)..], &Shape::of(schema));
        mistakes.extend(placed.err().map(|what| Mistake { line: entry.line, what }));
    }
    let value = tree.into_value(&mut mistakes);
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() { Ok(value) } else { Err(Mistakes(mistakes)) }
}

/// How many words of a key are the plugin's name: `auth.http.timeout` is the `timeout` of `emqx_auth_http`, and of
/// Hookrail's `auth-http`.
fn prefix(path: &[String], plugin: &str) -> usize {
    let plain = |name: &str| {
        let name = name.replace(['-', '.'], "_").to_ascii_lowercase();
        let known = ["emqx_", "emq_"].into_iter().find_map(|maker| name.strip_prefix(maker));
        known.map_or(name.clone(), str::to_owned)
    };
    // At least one word must be left.
    (1..path.len()).find(|count| plain(&path[..*count].join("_")) == plain(plugin)).unwrap_or(0)
}

/// The configuration as it is built, with the lines it comes from: a value that a later line replaces is not checked.
#[derive(Debug, Default)]
struct Tree<'a>(BTreeMap<Step, Node<'a>>);

#[derive(Debug)]
enum Node<'a> {
    Branch(Tree<'a>),
    Leaf(&'a Entry, Shape<'a>),
}

/// A property, or an element of an array by its number in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Element(u64),
    Property(String),
}

impl<'a> Tree<'a> {
    fn place(&mut self, entry: &'a Entry, path: &[String], shape: &Shape<'a>) -> Result<(), String> {
        let (word, rest) = path.split_first().expect("a key has a word at least");
        // The value, with its unit, matters only for the last word of the key; the words before it name objects.
        let text = if rest.is_empty() { &*entry.value } else { "" };
        let number = word.parse().ok();
        let (step, shape) = match (number, shape.element()) {
            (Some(number), Some(element)) => (Step::Element(number), element),
            _ => match shape.property(word, text) {
                Ok((name, shape)) => (Step::Property(name), shape),
                Err(known) => return Err(not_known(entry, word, known)),
            },
        };
        let below = |other: &Entry| {
            let line = other.line;
            format!("`{word}` has a value or keys below it, not both as here and in line {line}: rename one of them")
        };
        match (self.0.entry(step), rest.is_empty()) {
            (Place::Vacant(place), true) => _ = place.insert(Node::Leaf(entry, shape)),
            (Place::Vacant(place), false) => {
                let mut branch = Tree::default();
                branch.place(entry, rest, &shape)?;
                place.insert(Node::Branch(branch));
            }
            (Place::Occupied(place), is_last) => match place.into_mut() {
                Node::Leaf(former, _) if is_last => *former = entry,
                Node::Leaf(other, _) => return Err(below(other)),
                Node::Branch(branch) if !is_last => branch.place(entry, rest, &shape)?,
                Node::Branch(branch) => return Err(below(branch.first())),
            },
        }
        Ok(())
    }

    /// The first of the lines it comes from.
    fn first(&self) -> &'a Entry {
        match self.0.values().next() {
            Some(Node::Branch(tree)) => tree.first(),
            Some(Node::Leaf(entry, _)) => entry,
            None => unreachable!("a branch grows with what is placed on it"),
        }
    }

    fn into_value(self, mistakes: &mut Vec<Mistake>) -> Value {
        let is_array = self.0.keys().all(|step| matches!(step, Step::Element(_))) && !self.0.is_empty();
        let mut value = |(step, node)| {
            let name = match step {
                Step::Element(number) => number.to_string(),
                Step::Property(name) => name,
            };
            let value = match node {
                Node::Branch(tree) => tree.into_value(mistakes),
                Node::Leaf(entry, shape) => typed(&entry.value, &name, &shape).unwrap_or_else(|what| {
                    mistakes.push(Mistake { line: entry.line, what });
                    Value::Null
                }),
            };
            (name, value)
        };
        if is_array {
            return self.0.into_iter().map(|element| value(element).1).collect();
        }
        Value::Object(self.0.into_iter().map(value).collect::<Map<_, _>>())
    }
}

fn not_known(entry: &Entry, word: &str, known: Vec<&str>) -> String {
    let what = format!("`{}`: the plugin's schema has no `{word}` there", entry.path.join("."));
    match nearest(word, &known) {
        Some(nearest) => format!("{what}, but `{nearest}`"),
        None if known.is_empty() => what,
        None => format!("{what}, but {}", known.join(", ")),
    }
}

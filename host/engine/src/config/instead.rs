//! What was probably meant by a file that is no configuration.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// What should be written instead of the key at that place in the file, which is not known there.
pub(super) fn instead(text: &str, at: Option<Range<usize>>) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    let mut path = Vec::new();
    let (key, value) = find(table.get_ref(), &at?, &mut path)?;
    match &path[..] {
        ["plugins", plugin] => Some(format!("move `{key}` into [plugins.{plugin}.config], if it is the plugin's own")),
        ["plugins", plugin, "instances", instance] => {
            let config = format!("[plugins.{plugin}.instances.{instance}.config]");
            Some(format!("move `{key}` into {config}, if it is the plugin's own"))
        }
        ["points", point @ ..] if !point.is_empty() && value.is_table() => {
            let mut name = format!("{}.{key}", point.join("."));
            let mut inner = value;
            while let Some((part, next)) = only_table(inner) {
                name = format!("{name}.{part}");
                inner = next;
            }
            Some(format!("put the name of the point into quotes: [points.\"{name}\"]"))
        }
        _ => None,
    }
}

/// The key at that place and its value; `path` becomes the keys around it.
fn find<'a>(table: &'a DeTable<'a>, at: &Range<usize>, path: &mut Vec<&'a str>) -> Option<(&'a str, &'a DeValue<'a>)> {
    for (key, value) in table {
        if key.span() == *at {
            return Some((key.get_ref(), value.get_ref()));
        }
        if let DeValue::Table(inner) = value.get_ref() {
            path.push(key.get_ref());
            if let Some(found) = find(inner, at, path) {
                return Some(found);
            }
            path.pop();
        }
    }
    None
}

/// The table that is all there is in a value: a point whose name is written without quotes.
fn only_table<'a>(value: &'a DeValue<'a>) -> Option<(&'a str, &'a DeValue<'a>)> {
    let (key, value) = value.as_table().filter(|table| table.len() == 1)?.iter().next()?;
    value.get_ref().is_table().then(|| (&**key.get_ref(), value.get_ref()))
}

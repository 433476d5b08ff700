//! Where each key of a configuration is set, so that errors name the file and the line, or the variable.

use std::collections::BTreeMap;
#[cfg(feature = "config-file")]
use std::path::Path;
use std::path::PathBuf;

#[cfg(feature = "config-file")]
use toml::de::{DeTable, DeValue};

/// The lines of the keys of a file, from 1, by their whole names: `plugins.mask.config`, `overrides[0]`; and the variables
/// that set keys. Names that need quotes in the file have none here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    file: PathBuf,
    lines: BTreeMap<String, usize>,
    variables: BTreeMap<String, String>,
}

impl Places {
    #[cfg(feature = "config-file")]
    pub(super) fn of(file: &Path, text: &str) -> Self {
        let mut places = Places { file: file.into(), ..Places::default() };
        if let Ok(table) = DeTable::parse(text) {
            places.add_table("", table.get_ref(), text);
        }
        places
    }

    #[cfg(feature = "config-file")]
    fn add_table(&mut self, before: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let name = match before {
                "" => key.get_ref().to_string(),
                _ => format!("{before}.{}", key.get_ref()),
            };
            self.add(name, key.span().start, value.get_ref(), text);
        }
    }

    #[cfg(feature = "config-file")]
    fn add(&mut self, name: String, at: usize, value: &DeValue<'_>, text: &str) {
        match value {
            DeValue::Table(table) => self.add_table(&name, table, text),
            DeValue::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.add(format!("{name}[{index}]"), element.span().start, element.get_ref(), text);
                }
            }
            _ => {}
        }
        let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        self.lines.insert(name, line);
    }

    /// A variable sets a key.
    #[cfg(feature = "config-file")]
    pub(super) fn set(&mut self, key: String, variable: String) {
        self.variables.insert(key, variable);
    }

    /// The variable that sets exactly that key, if one does.
    pub(super) fn variable(&self, key: &str) -> Option<&str> {
        self.variables.get(key).map(String::as_str)
    }

    /// The file and the line of exactly that key, or the variable that sets it.
    pub(super) fn of_exactly(&self, key: &str) -> Option<String> {
        if let Some(variable) = self.variables.get(key) {
            return Some(variable.clone());
        }
        let line = self.lines.get(key)?;
        Some(format!("{}:{line}", self.file.display()))
    }

    /// As [`of_exactly`](Self::of_exactly), or of the nearest one around it that is set.
    pub(super) fn of_key(&self, key: &str) -> Option<String> {
        let unquoted = key.replace('"', "");
        let mut key = &*unquoted;
        loop {
            if let Some(place) = self.of_exactly(key) {
                return Some(place);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }
}

#[cfg(all(test, feature = "config-file"))]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_line() {
        let text = "\
home = 'a'

[plugins.mask]
max_memory = 0
config = { patterns = [
    'a',
] }

[[overrides]]
point = 'message.publish'
[[overrides]]
point = 'b'

[points.'message.publish']
level = 'count'
";
        let places = Places::of(Path::new("a.toml"), text);
        for (key, line) in [
            ("home", 1),
            ("plugins.mask", 3),
            ("plugins.mask.max_memory", 4),
            ("plugins.mask.config", 5),
            ("plugins.mask.config.patterns[0]", 6),
            ("plugins.mask.config.nothing", 5),
            ("plugins.mask.instances.\"a\"", 3),
            ("overrides[0]", 9),
            ("overrides[1].point", 12),
            ("overrides[1].callback", 11),
            ("points.\"message.publish\".level", 15),
        ] {
            assert_eq!(places.of_key(key), Some(format!("a.toml:{line}")), "{key}");
        }
        assert_eq!(places.of_key("limits.stuck"), None);
    }
}

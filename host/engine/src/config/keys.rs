//! A configuration, key by key, with where each value comes from.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::Config;

/// What is shown of a value that may be a secret.
const MASK: &str = "***";

/// A key of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConfigKey {
    /// Its whole name, as TOML has it.
    pub key: String,
    /// Its value; what a variable of the environment gives to a plugin is masked, since it may be a secret.
    pub value: Value,
    /// Where it comes from.
    pub origin: KeyOrigin,
    /// The file and the line, or the variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// Where the value of a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyOrigin {
    /// Nobody has set it.
    Default,
    /// A variable of the environment.
    Environment,
    /// The configuration file.
    File,
    /// The command line of the program.
    Flag,
}

impl fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyOrigin::Default => "default",
            KeyOrigin::Environment => "environment",
            KeyOrigin::File => "file",
            KeyOrigin::Flag => "flag",
        })
    }
}

impl Config {
    /// All keys that have a value, in order.
    pub fn keys(&self) -> Vec<ConfigKey> {
        let mut keys = Vec::new();
        let all = serde_json::to_value(self).expect("a configuration is made of what JSON has");
        self.add(all, &mut Name::default(), &mut keys);
        keys
    }

    fn add(&self, value: Value, name: &mut Name, keys: &mut Vec<ConfigKey>) {
        match value {
            Value::Null => {}
            Value::Object(object) => {
                for (key, value) in object {
                    let before = name.push(&key);
                    self.add(value, name, keys);
                    name.truncate(before);
                }
            }
            Value::Array(elements) if elements.iter().any(Value::is_object) => {
                for (index, value) in elements.into_iter().enumerate() {
                    let before = name.push_index(index);
                    self.add(value, name, keys);
                    name.truncate(before);
                }
            }
            Value::Array(elements) if elements.is_empty() => {}
            leaf => keys.push(self.key(name, leaf)),
        }
    }

    fn key(&self, name: &Name, mut value: Value) -> ConfigKey {
        let place = self.places.as_ref().and_then(|places| places.of_exactly(&name.plain));
        let is_of_environment = self.places.as_ref().is_some_and(|places| places.variable(&name.plain).is_some());
        let origin = match &place {
            _ if is_of_environment => KeyOrigin::Environment,
            Some(_) => KeyOrigin::File,
            None => KeyOrigin::Default,
        };
        if is_of_environment && name.plain.contains(".config.") {
            value = MASK.into();
        }
        ConfigKey { key: name.quoted.clone(), value, origin, place }
    }
}

/// The name of a key: as places have it, and as TOML has it.
#[derive(Default)]
struct Name {
    plain: String,
    quoted: String,
}

impl Name {
    /// Returns to what length it is truncated again.
    fn push(&mut self, part: &str) -> (usize, usize) {
        let before = (self.plain.len(), self.quoted.len());
        let is_bare = !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if before.0 > 0 {
            self.plain.push('.');
            self.quoted.push('.');
        }
        self.plain.push_str(part);
        let quoted = if is_bare { part.into() } else { Value::from(part).to_string() };
        self.quoted.push_str(&quoted);
        before
    }

    fn push_index(&mut self, index: usize) -> (usize, usize) {
        let before = (self.plain.len(), self.quoted.len());
        self.plain.push_str(&format!("[{index}]"));
        self.quoted.push_str(&format!("[{index}]"));
        before
    }

    fn truncate(&mut self, (plain, quoted): (usize, usize)) {
        self.plain.truncate(plain);
        self.quoted.truncate(quoted);
    }
}

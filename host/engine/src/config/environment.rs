//! Keys that variables of the environment set: `HOOKRAIL_UNLOAD__DEADLINE=5s` is `deadline` in `[unload]`.
//!
//! A variable is named `HOOKRAIL_` and its key in capitals, with `__` for a dot and `_` for what is neither letter nor
//! digit. Its value is one text: it is put where the file, already read, has that key or could have it, as a string, a
//! number or a boolean, whichever the key takes. So a variable adds no keys besides its own, whatever is in it.

use std::ffi::OsString;

use serde::Deserialize;
use toml::{Table, Value};

use super::Config;
use hookrail_abi::catalogue::BUILT_IN;
use hookrail_model::error::ConfigError;

/// What their names begin with.
const PREFIX: &str = "HOOKRAIL_";
/// The tables that a variable can lead into, and the keys beside them. `home` is read where it is needed.
const TOP: &[&str] = &[
    "fault_policies",
    "health",
    "limits",
    "log_level",
    "message",
    "overrides",
    "pipelines",
    "plugins",
    "points",
    "quarantine",
    "unload",
    "upgrade",
];

/// A variable that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) variable: String,
    /// The parts of its key, folded.
    parts: Vec<String>,
    text: String,
}

/// The variables among these that set keys. One that means none is passed over if it could be anybody's, and a mistake if
/// it leads into a table that there is not.
pub(super) fn settings(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<Setting>, ConfigError> {
    let mut settings = Vec::new();
    for (variable, text) in variables {
        // A name that is no text is none of ours.
        let Ok(variable) = variable.into_string() else { continue };
        let Some(name) = variable.strip_prefix(PREFIX).filter(|_| !text.is_empty()) else { continue };
        let parts: Vec<_> = name.split("__").map(str::to_lowercase).collect();
        let is_known = TOP.contains(&&*parts[0]);
        match &*parts {
            [only] if only != "log_level" => continue,
            _ if !is_known => {
                return Err(ConfigError::invalid_value(variable, format!("sets no key: there is no `{}`", parts[0])));
            }
            parts if parts.iter().any(String::is_empty) => {
                return Err(ConfigError::invalid_value(variable, "sets no key: a part of its name is empty"));
            }
            _ => match text.into_string() {
                Ok(text) => settings.push(Setting { variable, parts, text }),
                Err(_) => return Err(ConfigError::invalid_value(variable, "has a value that is not UTF-8")),
            },
        }
    }
    // The order of the environment is nobody's.
    settings.sort_by(|one, other| one.variable.cmp(&other.variable));
    Ok(settings)
}

impl Setting {
    /// Sets the key in what a file says, if the whole is a configuration then. Returns the key, as places name it.
    pub(super) fn apply(&self, table: &mut Table) -> Result<String, ConfigError> {
        let mut first = None;
        for value in self.values() {
            let (mut with, mut path) = (table.clone(), Vec::new());
            let put = put(&mut with, &self.parts, &mut path, value);
            let is_one = put.and_then(|()| Config::deserialize(with.clone()).map_err(|error| self.why(&error)));
            match is_one {
                Ok(_) => {
                    *table = with;
                    return Ok(path.join("."));
                }
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(ConfigError::invalid_value(self.variable.clone(), first.expect("a text is tried in any case")))
    }

    fn why(&self, error: &toml::de::Error) -> String {
        format!("sets {}: {}", self.parts.join("."), error.message())
    }

    /// What the text may be, in the order in which it is tried.
    fn values(&self) -> impl Iterator<Item = Value> {
        let number = self.text.parse().map(Value::Integer).ok();
        let number = number.or_else(|| self.text.parse().map(Value::Float).ok());
        let boolean = self.text.parse().map(Value::Boolean).ok();
        [Some(Value::String(self.text.clone())), number, boolean].into_iter().flatten()
    }
}

/// Puts a value into a table; `path` becomes the names of its key, as the file has or would have them.
fn put(table: &mut Table, parts: &[String], path: &mut Vec<String>, value: Value) -> Result<(), String> {
    let [part, rest @ ..] = parts else { return Err("sets a table, and a variable sets one value".into()) };
    let known = table.keys().find(|key| folded(key) == *part).cloned();
    if known.is_none() && path.is_empty() && part == "overrides" {
        return Err("sets a key of an override, and the file has none".into());
    }
    let name = known.unwrap_or_else(|| spelled(path, part));
    path.push(name.clone());
    if rest.is_empty() && !table.contains_key(&name) {
        table.insert(name, value);
        return Ok(());
    }
    let there = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
    put_at(there, rest, path, value)
}

fn put_at(there: &mut Value, parts: &[String], path: &mut Vec<String>, value: Value) -> Result<(), String> {
    match there {
        Value::Table(table) => put(table, parts, path, value),
        Value::Array(elements) if !parts.is_empty() => {
            let element = parts[0].parse().ok().and_then(|index: usize| elements.get_mut(index));
            let element =
                element.ok_or_else(|| format!("sets {}, which has no element {}", path.join("."), parts[0]))?;
            let last = path.last_mut().expect("a list has a name");
            last.push_str(&format!("[{}]", parts[0]));
            put_at(element, &parts[1..], path, value)
        }
        leaf if parts.is_empty() && leaf.same_type(&value) => {
            *leaf = value;
            Ok(())
        }
        leaf => {
            let (key, kind) = (path.join("."), leaf.type_str());
            Err(if parts.is_empty() {
                format!("sets {key}: the file has a value of type {kind} there, and this is none")
            } else {
                format!("sets a key in {key}: the file has a value of type {kind} there, and no table")
            })
        }
    }
}

/// A name as variables have it, without its case.
fn folded(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// A name that the file does not have, in the table with that path.
fn spelled(path: &[String], part: &str) -> String {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    match *path {
        ["points"] => BUILT_IN.iter().find(|point| folded(point.name) == part).map_or(part, |point| point.name).into(),
        // What people name has dashes in it; what is named here and by plugins has not.
        ["plugins" | "pipelines"] | ["pipelines", _, "sinks" | "sources"] | ["plugins", _, "instances"] => {
            part.replace('_', "-")
        }
        _ => part.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    const FILE: &str = "
[plugins.file-log.config]
path = 'a.log'
keep = 3
[plugins.mask.config]
patterns = ['a', 'b']
[[overrides]]
point = 'message.publish'
callback = 'mask/mask'
";

    fn set(variable: &str, text: &str) -> Result<(String, Table), ConfigError> {
        let mut table: Table = FILE.parse().unwrap();
        let settings = settings([(variable.into(), text.into())])?;
        let [setting] = &*settings else { panic!("{settings:?}") };
        let key = setting.apply(&mut table)?;
        Ok((key, table))
    }

    #[test]
    fn a_variable_sets_one_key() {
        for (variable, text, key) in [
            ("HOOKRAIL_LOG_LEVEL", "debug", "log_level"),
            ("HOOKRAIL_UNLOAD__DEADLINE", "7s", "unload.deadline"),
            ("HOOKRAIL_QUARANTINE__FAULTS", "7", "quarantine.faults"),
            ("HOOKRAIL_PLUGINS__FILE_LOG__REQUIRED", "true", "plugins.file-log.required"),
            ("HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__PATH", "b.log", "plugins.file-log.config.path"),
            ("HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__KEEP", "7", "plugins.file-log.config.keep"),
            ("HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__MAX_BYTES", "7", "plugins.file-log.config.max_bytes"),
            ("HOOKRAIL_PLUGINS__MASK__CONFIG__PATTERNS__1", "c", "plugins.mask.config.patterns[1]"),
            ("HOOKRAIL_OVERRIDES__0__PRIORITY", "7", "overrides[0].priority"),
            ("HOOKRAIL_POINTS__MESSAGE_PUBLISH__LEVEL", "count", "points.message.publish.level"),
            ("HOOKRAIL_PIPELINES__MY_LOGS__SINKS__ALL_OF_IT__USE", "stdout", "pipelines.my-logs.sinks.all-of-it.use"),
        ] {
            let (set, table) = set(variable, text).unwrap();
            assert_eq!(set, key);
            Config::deserialize(table).unwrap();
        }
    }

    #[test]
    fn a_value_is_one_value_whatever_is_in_it() {
        let text = "x'\n[plugins.evil]\nlibrary = '/tmp/evil.so";
        let (_, table) = set("HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__PATH", text).unwrap();
        let config = Config::deserialize(table).unwrap();
        assert_eq!(config.plugins.keys().collect::<Vec<_>>(), ["file-log", "mask"]);
        assert_eq!(config.plugins["file-log"].config["path"], text);
    }

    #[test]
    fn what_is_meant_for_others_is_passed_over() {
        let of_others = ["HOME", "HOOKRAIL_HOME", "HOOKRAIL_PLUGINS", "HOOKRAIL_CONFIG", "HOOKRAIL_WHATEVER", "PATH"];
        let variables = of_others.map(|name| (name.into(), "x".into()));
        assert_eq!(settings(variables).unwrap(), []);
        assert_eq!(settings([("HOOKRAIL_UNLOAD__DEADLINE".into(), "".into())]).unwrap(), [], "empty is not set");
    }

    #[test]
    fn a_mistake_names_the_variable() {
        for (variable, text, said) in [
            ("HOOKRAIL_UNLOAD__DEADLINE", "soon", "sets unload.deadline: "),
            ("HOOKRAIL_UNLOAD__DEADLIN", "5s", "unknown field `deadlin`"),
            ("HOOKRAIL_UNLOADS__DEADLINE", "5s", "there is no `unloads`"),
            ("HOOKRAIL_UNLOAD__", "5s", "a part of its name is empty"),
            ("HOOKRAIL_PLUGINS__MASK__CONFIG__PATTERNS", "c", "the file has a value of type array there"),
            ("HOOKRAIL_PLUGINS__MASK__CONFIG__PATTERNS__2", "c", "has no element 2"),
            (
                "HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__KEEP",
                "many",
                "the file has a value of type integer there, and this is none",
            ),
            (
                "HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__KEEP__X",
                "1",
                "the file has a value of type integer there, and no table",
            ),
            ("HOOKRAIL_PLUGINS__FILE_LOG", "1", "sets a table"),
        ] {
            let error = set(variable, text).unwrap_err().to_string();
            assert!(error.contains(variable) && error.contains(said), "{error}");
        }
        let bytes = OsString::from_vec(vec![0xff]);
        let error = settings([("HOOKRAIL_UNLOAD__DEADLINE".into(), bytes)]).unwrap_err().to_string();
        assert!(error.contains("HOOKRAIL_UNLOAD__DEADLINE") && error.contains("not UTF-8"), "{error}");
        let setting = &settings([("HOOKRAIL_OVERRIDES__0__PRIORITY".into(), "7".into())]).unwrap()[0];
        let error = setting.apply(&mut Table::new()).unwrap_err().to_string();
        assert!(error.contains("a key of an override, and the file has none"), "{error}");
    }
}

//! What an operator of the host writes: the programs that are run, and which of them an endpoint stands for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookrail_abi::Time;
use hookrail_abi::prelude::*;
use serde_json::{Map, Value};

/// Configuration of the plugin `exec`.
#[config]
#[derive(Default)]
pub(crate) struct Config {
    /// The operators: programs that are started with the plugin and kept alive, by their names.
    #[serde(default)]
    pub(crate) operators: BTreeMap<String, Operator>,
}

/// One operator.
#[config]
#[derive(Clone, PartialEq)]
pub(crate) struct Operator {
    /// The program and its arguments; no shell is between. A program without a `/` is looked for in `PATH`.
    #[schemars(length(min = 1))]
    pub(crate) command: Vec<String>,

    /// The directory that it starts in, in place of that of the host.
    #[serde(default)]
    pub(crate) directory: Option<String>,

    /// The variables of its environment, which has no others but those of `pass_env` and the plugin's own.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,

    /// The variables that it has from the environment of the host.
    #[serde(default = "passed")]
    pub(crate) pass_env: Vec<String>,

    /// Its own configuration, which it is given when it starts and when it reloads.
    #[serde(default)]
    pub(crate) config: Map<String, Value>,

    /// How long it may take until it says that it is ready.
    #[serde(default = "seconds::<30>")]
    pub(crate) ready: Time,

    /// From one ping to the next, if it answers pings.
    #[serde(default = "seconds::<10>")]
    pub(crate) ping_every: Time,

    /// How long it may take to answer a ping.
    #[serde(default = "seconds::<30>")]
    pub(crate) pong: Time,

    /// How long it may take to halt, to resume or to reload.
    #[serde(default = "seconds::<10>")]
    pub(crate) order: Time,

    /// How long it may take to end: after half of it comes SIGTERM, and then SIGKILL.
    #[serde(default = "seconds::<10>")]
    pub(crate) stop: Time,

    /// After how many ends in a row it has failed, and is not started again; 1 for never again.
    #[serde(default = "restarts")]
    #[schemars(range(min = 1))]
    pub(crate) restarts: u32,

    /// The most bytes of a line, from it and to it.
    #[serde(default = "max_line")]
    #[schemars(range(min = 1024, max = 16_777_216))]
    pub(crate) max_line: usize,
}

/// Configuration of the source `exec`.
#[config]
pub(crate) struct SourceConfig {
    /// The operator whose messages these are: a name of `operators`.
    pub(crate) operator: String,
}

/// Configuration of the sink `exec`.
#[config]
pub(crate) struct SinkConfig {
    /// The operator that gets the messages: a name of `operators`.
    pub(crate) operator: String,

    /// How many messages it may have that it has not answered for.
    #[serde(default = "window")]
    #[schemars(range(min = 1, max = 65_536))]
    pub(crate) window: usize,
}

const MOST_OPERATORS: usize = 64;
const LONGEST_NAME: usize = 64;
/// Where a program is looked for if the host has no `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

fn passed() -> Vec<String> {
    ["PATH", "HOME", "LANG", "TZ"].map(String::from).into()
}

const fn restarts() -> u32 {
    10
}

const fn max_line() -> usize {
    1 << 20
}

const fn window() -> usize {
    256
}

/// For what has a default: so many.
const fn seconds<const COUNT: u64>() -> Time {
    Time::from_secs(COUNT)
}

impl Config {
    /// Refuses what could not work.
    pub(crate) fn check(&self) -> Result<()> {
        if self.operators.len() > MOST_OPERATORS {
            let count = self.operators.len();
            return Err(format!("`operators` has {count} entries: let it have at most {MOST_OPERATORS}").into());
        }
        for (name, operator) in &self.operators {
            operator.check(name).map_err(|why| format!("`operators.{name}{why}"))?;
        }
        Ok(())
    }
}

impl Operator {
    fn check(&self, name: &str) -> Result<(), String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
            return Err(format!("`: let the name be 1 to {LONGEST_NAME} letters, digits, `-` and `_`"));
        }
        if self.command.is_empty() || self.command[0].is_empty() {
            return Err(".command` is empty: let it be a program and its arguments".into());
        }
        if let Some(text) = self.command.iter().find(|text| text.contains('\0')) {
            return Err(format!(".command` has a NUL in {text:?}"));
        }
        self.program().map_err(|why| format!(".command`: {why}"))?;
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(format!(".env`: {name:?} cannot be a variable"));
            }
        }
        if let Some(name) = self.pass_env.iter().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(format!(".pass_env`: {name:?} cannot be a variable"));
        }
        if self.restarts == 0 {
            return Err(".restarts` is 0: let it be at least 1".into());
        }
        if !(1024..=16 << 20).contains(&self.max_line) {
            return Err(format!(".max_line` is {}: let it be 1024 to 16777216", self.max_line));
        }
        let spans = [self.ready, self.ping_every, self.pong, self.order, self.stop];
        for (field, span) in ["ready", "ping_every", "pong", "order", "stop"].into_iter().zip(spans) {
            if !(Duration::from_millis(10)..=Duration::from_secs(3600)).contains(&span.duration()) {
                return Err(format!(".{field}` is {span}: let it be 10ms to 1h"));
            }
        }
        Ok(())
    }

    /// The path of its program.
    pub(crate) fn program(&self) -> Result<PathBuf, String> {
        let program = self.command.first().map_or("", String::as_str);
        if program.starts_with('/') {
            return Ok(program.into());
        }
        if program.contains('/') {
            let directory = self.directory.as_deref().map_or_else(std::env::current_dir, |path| Ok(path.into()));
            return directory.map(|path| path.join(program)).map_err(|error| format!("no working directory: {error}"));
        }
        let path = std::env::var("PATH").unwrap_or_else(|_| PATH.into());
        let found = path.split(':').map(|folder| Path::new(folder).join(program)).find(|path| is_executable(path));
        found.ok_or_else(|| format!("there is no program `{program}` in {path}: give its whole path"))
    }

    /// Whether another one needs another process: all that it cannot be told while it runs differs.
    pub(crate) fn needs_restart(&self, other: &Operator) -> bool {
        let other = Operator { config: self.config.clone(), ..other.clone() };
        *self != other
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    path.is_absolute() && path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use hookrail_abi::Configuration;

    use super::*;

    fn mistake(operators: &str) -> String {
        let config = format!(r#"{{"operators": {operators}}}"#);
        Config::from_json(&config).and_then(|config| config.check()).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_reported() {
        for (operators, said) in [
            (r#"{"a": {}}"#, "missing field `command`"),
            (r#"{"a": {"command": []}}"#, "`operators.a.command` is empty"),
            (r#"{"a": {"command": "sh"}}"#, "invalid type: string"),
            (
                r#"{"a": {"command": ["no-such-program"]}}"#,
                "`operators.a.command`: there is no program `no-such-program`",
            ),
            (r#"{"a": {"command": ["/bin/sh", "\u0000"]}}"#, "has a NUL"),
            (r#"{"a.b": {"command": ["/bin/sh"]}}"#, "let the name be 1 to 64 letters"),
            (r#"{"": {"command": ["/bin/sh"]}}"#, "let the name be"),
            (r#"{"a": {"command": ["/bin/sh"], "env": {"A=B": ""}}}"#, "\"A=B\" cannot be a variable"),
            (r#"{"a": {"command": ["/bin/sh"], "pass_env": [""]}}"#, "`operators.a.pass_env`"),
            (r#"{"a": {"command": ["/bin/sh"], "restarts": 0}}"#, "`operators.a.restarts` is 0"),
            (r#"{"a": {"command": ["/bin/sh"], "max_line": 1}}"#, "`operators.a.max_line` is 1"),
            (r#"{"a": {"command": ["/bin/sh"], "stop": "2h"}}"#, "`operators.a.stop` is 2h: let it be 10ms to 1h"),
            (r#"{"a": {"command": ["/bin/sh"], "shell": true}}"#, "unknown field `shell`"),
        ] {
            let error = mistake(operators);
            assert!(error.contains(said), "{operators}: {error}");
        }
    }

    #[test]
    fn a_program_is_found_in_the_path() {
        let config = Config::from_json(r#"{"operators": {"a": {"command": ["sh"]}}}"#).unwrap();
        config.check().unwrap();
        assert!(config.operators["a"].program().unwrap().ends_with("sh"));
    }

    #[test]
    fn another_configuration_alone_needs_no_other_process() {
        let read = |json| Config::from_json(json).unwrap().operators.remove("a").unwrap();
        let before = read(r#"{"operators": {"a": {"command": ["sh"]}}}"#);
        let told = read(r#"{"operators": {"a": {"command": ["sh"], "config": {"x": 1}}}}"#);
        let other = read(r#"{"operators": {"a": {"command": ["sh", "-c"], "config": {"x": 1}}}}"#);
        assert!(!before.needs_restart(&told) && before.needs_restart(&other));
    }
}

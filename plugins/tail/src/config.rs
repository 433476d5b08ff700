//! The operator's configuration of one use of the source.

use hookrail_abi::Time;
use hookrail_abi::prelude::*;
use regex::bytes::Regex;

use crate::entries::{Joined, Rules};

/// Configuration of the source `tail`.
#[config]
#[serde(default)]
pub(crate) struct Config {
    /// The files to follow: absolute paths, with `*`, `?`, `[...]` and `**` as in a shell.
    #[schemars(length(min = 1))]
    pub(crate) paths: Vec<String>,

    /// The files not to follow: patterns for the name, or for the whole path if they have a slash. The default is
    /// compressed files.
    pub(crate) exclude: Vec<String>,

    /// Where a file is begun that is there when its pattern is used for the first time. Files that appear later are read
    /// from their beginning.
    pub(crate) start_at: StartAt,

    /// The topic of the messages. `{stem}` is the file's name without its last extension, `{name}` the whole name,
    /// `{directory}` the name of its directory; each is one token, with what has a meaning in topics percent-escaped.
    pub(crate) topic: String,

    /// The most bytes of a line. What is longer is cut, and the message has a header `truncated`: how many bytes are
    /// missing.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub(crate) max_line: usize,

    /// Joins lines that belong together, such as a stack trace. Without it, each line is a message.
    pub(crate) multiline: Option<Multiline>,

    /// After how long without growth the last line of a file is sent though no newline ends it; `0s` for never.
    pub(crate) idle_flush: Time,

    /// How often files that were written to in the last minute are looked at.
    pub(crate) poll_every: Time,

    /// How often all files are looked at, and new ones are looked for.
    pub(crate) rescan_every: Time,

    /// How long a file that was deleted, or renamed to what no pattern matches, is still read after it has last grown.
    pub(crate) forget_after: Time,

    /// The most files that are open at once. Those that were read longest ago are closed, and opened when they have
    /// grown.
    #[schemars(range(min = 1))]
    pub(crate) max_open: usize,
}

/// Where a file is begun.
#[config]
#[derive(Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StartAt {
    /// With what is there.
    Beginning,
    /// With what is written from now on.
    End,
}

/// Which lines belong together.
#[config]
pub(crate) struct Multiline {
    /// A regular expression that the first line of a message matches, and no other: lines that it does not match are
    /// joined to the one before.
    pub(crate) start: String,

    /// The most bytes of a message; a line that does not fit begins the next one.
    #[serde(default = "default_max_bytes")]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub(crate) max_bytes: usize,

    /// The most lines of a message; the line after them begins the next one.
    #[serde(default = "default_max_lines")]
    #[schemars(range(min = 1))]
    pub(crate) max_lines: usize,

    /// After how long without growth the last message of a file is whole.
    #[serde(default = "default_idle")]
    pub(crate) idle: Time,
}

const LARGEST: usize = 16 << 20;

fn default_max_bytes() -> usize {
    256 << 10
}

fn default_max_lines() -> usize {
    500
}

fn default_idle() -> Time {
    Time::from_millis(1_000)
}

impl Default for Config {
    fn default() -> Self {
        Config {
            paths: Vec::new(),
            exclude: ["*.gz", "*.zst", "*.bz2", "*.xz"].map(String::from).into(),
            start_at: StartAt::End,
            topic: "log.{stem}".into(),
            max_line: 256 << 10,
            multiline: None,
            idle_flush: Time::from_millis(5_000),
            poll_every: Time::from_millis(250),
            rescan_every: Time::from_millis(1_000),
            forget_after: Time::from_millis(300_000),
            max_open: 256,
        }
    }
}

impl Config {
    /// How bytes are divided into messages, after a check of what serde cannot.
    pub(crate) fn rules(&self) -> Result<Rules> {
        for (name, span) in [("poll_every", self.poll_every), ("rescan_every", self.rescan_every)] {
            if span < Time::from_millis(1) || span > Time::from_millis(3_600_000) {
                return Err(format!("`{name}` is {span}: let it be 1ms to 1h").into());
            }
        }
        within("max_open", self.max_open, usize::MAX)?;
        within("max_line", self.max_line, LARGEST)?;
        let joined = self.multiline.as_ref().map(Multiline::joined).transpose()?;
        Ok(Rules { max_line: self.max_line, joined })
    }
}

impl Multiline {
    fn joined(&self) -> Result<Joined> {
        within("multiline.max_bytes", self.max_bytes, LARGEST)?;
        within("multiline.max_lines", self.max_lines, usize::MAX)?;
        let start = Regex::new(&self.start).map_err(|error| format!("`multiline.start` does not parse: {error}"))?;
        Ok(Joined { start, max_bytes: self.max_bytes, max_lines: self.max_lines, idle: self.idle.duration() })
    }
}

fn within(name: &str, value: usize, most: usize) -> Result<()> {
    match value {
        0 => Err(format!("`{name}` is 0: let it be at least 1").into()),
        _ if value > most => Err(format!("`{name}` is {value}: let it be at most {most}").into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookrail_abi::Configuration;

    #[test]
    fn the_schema_tells_the_defaults() {
        let schema: serde_json::Value = serde_json::from_str(&Config::schema()).unwrap();
        for (field, default) in [
            ("start_at", "end".into()),
            ("topic", "log.{stem}".into()),
            ("idle_flush", "5s".into()),
            ("poll_every", "250ms".into()),
            ("forget_after", "5m".into()),
            ("max_line", 262_144.into()),
            ("max_open", serde_json::Value::from(256)),
        ] {
            let of_field = &schema["properties"][field];
            assert!(of_field["description"].is_string(), "{field} is described");
            if field != "start_at" {
                assert_eq!(of_field["default"], default, "{field}");
            }
        }
    }

    #[test]
    fn mistakes_are_reported() {
        for (config, said) in [
            (r#"{"max_line": 0}"#, "`max_line` is 0: let it be at least 1"),
            (r#"{"max_line": 16777217}"#, "`max_line` is 16777217: let it be at most 16777216"),
            (r#"{"max_open": 0}"#, "`max_open` is 0"),
            (r#"{"poll_every": "0s"}"#, "`poll_every` is 0s: let it be 1ms to 1h"),
            (r#"{"rescan_every": "2h"}"#, "`rescan_every` is 2h"),
            (r#"{"poll_every": "often"}"#, "\"often\" is not a time such as \"250ms\" or \"5m\""),
            (r#"{"poll_every": 7}"#, "expected a string"),
            (r#"{"start_at": "middle"}"#, "expected `beginning` or `end`"),
            (r#"{"multiline": {}}"#, "missing field `start`"),
            (r#"{"multiline": {"start": "("}}"#, "`multiline.start` does not parse: regex parse error"),
            (r#"{"multiline": {"start": "a", "max_lines": 0}}"#, "`multiline.max_lines` is 0"),
            (r#"{"multiline": {"start": "a", "max_bytes": 99999999}}"#, "`multiline.max_bytes` is 99999999"),
            (r#"{"path": "/a"}"#, "unknown field `path`"),
        ] {
            let error = Config::from_json(config).and_then(|config| config.rules().map(drop)).unwrap_err().to_string();
            assert!(error.contains(said), "{config}: {error}");
        }
        assert!(Config::from_json("{}").unwrap().rules().is_ok());
    }
}

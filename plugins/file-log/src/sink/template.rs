//! The path of a file, with what messages put into its name.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use hookrail_abi::prelude::*;

use super::name;

/// The length of `2026-01-31`.
const DATE: usize = 10;
/// The longest name of a file that Linux allows.
const LONGEST: usize = 255;

/// The path as the operator has written it. Only the name of the file depends on messages: directories are not made, so
/// none has to be waited for, and a message cannot choose one.
pub(crate) struct Template {
    directory: PathBuf,
    source: String,
    parts: Vec<Part>,
}

enum Part {
    Date,
    Literal(String),
    Topic,
}

impl Template {
    pub(crate) fn new(path: &str) -> Result<Self> {
        let refused = |why: &str| Err(format!("`path` is {path:?}: {why}").into());
        let (directory, name) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
        if matches!(name, "" | "." | "..") {
            return refused("name a file");
        }
        if path.contains('\0') {
            return refused("a path has no NUL");
        }
        if directory.contains("{topic}") || directory.contains("{date}") {
            return refused("`{topic}` and `{date}` may stand in the name of the file, not of a directory");
        }
        let Some(parts) = parts(name) else {
            return refused("braces are for `{topic}` and `{date}`");
        };
        if parts.iter().map(Part::longest).sum::<usize>() > LONGEST {
            return refused("the name of the file can become longer than 255 bytes");
        }
        Ok(Template { directory: directory.into(), source: name.into(), parts })
    }

    /// The directory of all files; without one, it is empty.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    /// The name of the file as the operator has written it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Puts the name of the file for a message.
    pub(crate) fn put(&self, name: &mut String, message: &Message) {
        for part in &self.parts {
            match part {
                Part::Date => {
                    let time = UNIX_EPOCH + Duration::from_nanos(message.timestamp);
                    name.push_str(&humantime::format_rfc3339_seconds(time).to_string()[..DATE]);
                }
                Part::Literal(text) => name.push_str(text),
                Part::Topic => name::put_escaped(name, message.topic.as_str()),
            }
        }
    }
}

impl Part {
    fn longest(&self) -> usize {
        match self {
            Part::Date => DATE,
            Part::Literal(text) => text.len(),
            Part::Topic => name::LONGEST,
        }
    }
}

/// `None` if a brace is left over.
fn parts(mut name: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    while !name.is_empty() {
        let (part, rest) = if let Some(rest) = name.strip_prefix("{topic}") {
            (Part::Topic, rest)
        } else if let Some(rest) = name.strip_prefix("{date}") {
            (Part::Date, rest)
        } else {
            let (text, rest) = name.split_at(name.find(['{', '}']).unwrap_or(name.len()));
            if text.is_empty() {
                return None;
            }
            (Part::Literal(text.into()), rest)
        };
        parts.push(part);
        name = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn name(path: &str, topic: &str) -> String {
        let mut message = Message::new(topic, "");
        message.timestamp = 1_700_000_000_123_456_789;
        let mut name = String::new();
        Template::new(path).unwrap().put(&mut name, &message);
        name
    }

    #[test]
    fn the_name_has_the_topic_and_the_day_of_the_message() {
        for (path, expected) in [
            ("a.log", "a.log"),
            ("/var/log/a.log", "a.log"),
            ("/{topic}", "log.app"),
            ("logs/{topic}.log", "log.app.log"),
            ("{date}", "2023-11-14"),
            ("x{date}-{topic}{date}y", "x2023-11-14-log.app2023-11-14y"),
        ] {
            assert_eq!(name(path, "log.app"), expected, "{path}");
        }
    }

    #[test]
    fn the_day_is_that_of_the_timestamp_up_to_the_last_one() {
        for (timestamp, expected) in [
            (0, "1970-01-01"),
            (86_399_999_999_999, "1970-01-01"),
            (86_400_000_000_000, "1970-01-02"),
            (u64::MAX, "2554-07-21"),
        ] {
            let mut message = Message::empty();
            message.timestamp = timestamp;
            let mut name = String::new();
            Template::new("{date}").unwrap().put(&mut name, &message);
            assert_eq!(name, expected);
        }
    }

    #[test]
    fn no_topic_names_a_directory_whatever_stands_around_it() {
        for path in ["{topic}", ".{topic}", "{topic}.", ".{topic}.", "..{topic}"] {
            for topic in ["", ".", "..", "/", "/..", "../", "a/../../b", "\0"] {
                let name = name(path, topic);
                let path = Path::new("/d").join(&name);
                assert_eq!(path.file_name().unwrap(), &*name, "{path:?}");
                assert_eq!(path.parent().unwrap(), Path::new("/d"));
                assert!(!matches!(&*name, "." | "..") && !name.contains(['/', '\0']));
            }
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_the_reason() {
        for (path, said) in [
            ("", "name a file"),
            ("/", "name a file"),
            ("/a/..", "name a file"),
            ("/a/.", "name a file"),
            ("a\0b", "NUL"),
            ("/{date}/a.log", "not of a directory"),
            ("/{topic}/{date}", "not of a directory"),
            ("{host}", "braces"),
            ("a{topic", "braces"),
            ("a}", "braces"),
            ("{topic}{topic}", ""),
            ("{topic}{topic}.log", ""),
            (&"x".repeat(256), "255"),
            (&format!("{{topic}}{}", "x".repeat(128)), "255"),
        ] {
            match Template::new(path).err() {
                Some(error) => assert!(error.to_string().contains(said), "{path}: {error}"),
                None => panic!("{path} is taken"),
            }
        }
    }
}

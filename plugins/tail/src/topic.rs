//! The topic of a file's messages.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hookrail_abi::Result;

/// A topic with words in braces, in whose place there is a part of the path.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Directory,
    Name,
    Stem,
    Text(String),
}

impl Topic {
    /// Reads it, or returns why that fails.
    pub(crate) fn new(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let word = rest[open..].find('}').map(|close| &rest[open..=open + close]);
            let part = match word {
                Some("{directory}") => Part::Directory,
                Some("{name}") => Part::Name,
                Some("{stem}") => Part::Stem,
                _ => return Err(bad(text, "in braces there may be `directory`, `name` or `stem`")),
            };
            parts.extend([Part::Text(rest[..open].into()), part]);
            rest = &rest[open + word.map_or(0, str::len)..];
        }
        parts.push(Part::Text(rest.into()));
        parts.retain(|part| *part != Part::Text(String::new()));
        let topic = Topic { parts };
        let example = topic.of(Path::new("/directory/name"));
        if example.split('.').any(str::is_empty) || example.contains(|c: char| c.is_control() || " *>".contains(c)) {
            return Err(bad(text, "it is to be words with dots between them, without spaces, `*` and `>`"));
        }
        Ok(topic)
    }

    /// The topic for the file of that path.
    pub(crate) fn of(&self, path: &Path) -> String {
        let mut topic = String::new();
        for part in &self.parts {
            match part {
                Part::Directory => put(&mut topic, path.parent().and_then(Path::file_name)),
                Part::Name => put(&mut topic, path.file_name()),
                Part::Stem => put(&mut topic, path.file_stem()),
                Part::Text(text) => topic.push_str(text),
            }
        }
        topic
    }
}

fn bad(text: &str, why: &str) -> hookrail_abi::Error {
    format!("`topic` is \"{text}\": {why}").into()
}

/// Appends a name as one token: what has a meaning in topics, or cannot be seen, is percent-escaped.
fn put(topic: &mut String, name: Option<&OsStr>) {
    let name = name.map(OsStr::as_bytes).filter(|name| !name.is_empty()).unwrap_or(b"%");
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c.is_whitespace() || ".*>%".contains(c) {
                escape(topic, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                topic.push(c);
            }
        }
        escape(topic, chunk.invalid());
    }
}

fn escape(topic: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // A text takes all that is written to it.
        let _ = write!(topic, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(topic: &str, path: &[u8], expected: &str) {
        let path = Path::new(OsStr::from_bytes(path));
        assert_eq!(Topic::new(topic).unwrap().of(path), expected, "{topic} of {}", path.display());
    }

    #[test]
    fn a_topic_names_the_file() {
        check("log.{stem}", b"/var/log/syslog", "log.syslog");
        check("log.{stem}", b"/var/log/app.log", "log.app");
        check("log.{directory}.{stem}", b"/var/log/nginx/access.log", "log.nginx.access");
        check("{name}", b"/var/log/app.log", "app%2Elog");
        check("log.all", b"/var/log/app.log", "log.all");
        check("a-{stem}-b", b"/app.log", "a-app-b");
        check("log.{directory}", b"/app.log", "log.%25");
    }

    #[test]
    fn a_name_is_one_token_whatever_is_in_it() {
        check("log.{stem}", b"/a.b.log", "log.a%2Eb");
        check("log.{stem}", b"/a*b>c%d e\n\x7f.log", "log.a%2Ab%3Ec%25d%20e%0A%7F");
        check("log.{stem}", "/größe\u{a0}\u{85}.log".as_bytes(), "log.größe%C2%A0%C2%85");
        check("log.{stem}", b"/\xff\xfe.log", "log.%FF%FE");
        check("log.{stem}", b"/.hidden", "log.%2Ehidden");
    }

    #[test]
    fn a_bad_topic_is_refused_with_the_reason() {
        for (topic, said) in [
            ("log.{path}", "`topic` is \"log.{path}\": in braces"),
            ("log.{stem", "in braces"),
            ("log.}", "in braces"),
            ("", "words with dots"),
            ("log..{stem}", "words with dots"),
            (".{stem}", "words with dots"),
            ("log.*", "words with dots"),
            ("a b", "words with dots"),
        ] {
            let error = Topic::new(topic).unwrap_err().to_string();
            assert!(error.contains(said), "{topic}: {error}");
        }
    }
}

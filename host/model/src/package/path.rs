//! The path of a file in a package.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::ParseError;

/// The longest path, in bytes: what the oldest tar format holds without extensions.
const LONGEST: usize = 200;

/// The largest number of directories in a path.
const DEEPEST: usize = 12;

/// A relative path of plain names, separated by `/`.
///
/// # Invariants
/// No name is empty, `.` or `..`, or contains a character other than ASCII letters, digits and `._+-@`. So the path
/// stays below the directory it is joined to, on every file system and in every shell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct MemberPath(String);

impl MemberPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directories that contain it, as text, innermost first.
    pub fn directories(&self) -> impl Iterator<Item = &str> {
        self.0.rmatch_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// The form in which `A` and `a` are the same.
    pub(super) fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for MemberPath {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-' | b'@');
        let why = if text.starts_with('/') {
            "is absolute"
        } else if text.len() > LONGEST {
            "is longer than 200 bytes"
        } else if text.split('/').count() > DEEPEST {
            "is more than 12 directories deep"
        } else if text.split('/').any(|name| name == "..") {
            "climbs"
        } else if text.split('/').any(|name| matches!(name, "" | ".")) {
            "has an empty name in it"
        } else if !text.bytes().all(|byte| byte == b'/' || is_plain(byte)) {
            "has another character than letters, digits and `._+-@`"
        } else {
            // INVARIANT: established by the checks above.
            return Ok(MemberPath(text.into()));
        };
        // Only the beginning: the text may be very long.
        let shown: String = text.chars().take(LONGEST).collect();
        Err(ParseError::new(format!("the path {shown:?} {why}")))
    }
}

impl TryFrom<String> for MemberPath {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<MemberPath> for String {
    fn from(path: MemberPath) -> String {
        path.0
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_where_it_is_put() {
        for good in ["README.md", "lib/x86_64-unknown-linux-gnu/libmask.so", "etc/..a", "a/.hidden", "@scope/x+y_z"] {
            assert_eq!(good.parse::<MemberPath>().unwrap().as_str(), good);
        }
        let long = "a".repeat(201);
        let deep = "a/".repeat(12) + "a";
        let bad = [
            ("", "empty name"),
            ("/etc/passwd", "absolute"),
            ("..", "climbs"),
            ("a/../b", "climbs"),
            ("./a", "empty name"),
            ("a//b", "empty name"),
            ("a/", "empty name"),
            ("a\\b", "another character"),
            ("a\0", "another character"),
            ("a b", "another character"),
            ("\u{e9}", "another character"),
            ("C:a", "another character"),
            (&*long, "longer"),
            (&*deep, "deep"),
        ];
        for (path, why) in bad {
            let error = path.parse::<MemberPath>().unwrap_err();
            assert!(error.to_string().contains(why), "{path:?}: {error}");
        }
    }
}

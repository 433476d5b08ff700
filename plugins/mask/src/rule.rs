//! One regular expression with its replacement.

use hookrail_abi::Bytes;
use regex::bytes::{CaptureLocations, Match, Regex};

use crate::replacement::{Part, Replacement};

/// Replaces every match of a regular expression, as sed's `s/regex/replacement/g` does.
pub(crate) struct Rule {
    regex: Regex,
    replacement: Replacement,
}

impl Rule {
    pub(crate) fn new(pattern: &str, replacement: &str) -> Result<Self, String> {
        let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
        let replacement = Replacement::new(replacement, &regex)?;
        Ok(Rule { regex, replacement })
    }

    /// The text with every match replaced; `None` if there is no match, which costs one search and no allocation.
    pub(crate) fn replace_all(&self, text: &[u8]) -> Option<Bytes> {
        // Not `find_iter`: its set-up costs a third of a search that finds nothing.
        let mut next = Some(self.regex.find(text)?);
        let mut groups = self.replacement.has_groups().then(|| self.regex.capture_locations());
        // New memory each time: for the length of a line, malloc is cheaper than a pool with a lock.
        let mut masked = Bytes::new();
        masked.reserve(text.len() + self.replacement.len());
        let mut copied = 0;
        while let Some(found) = next {
            masked.extend_from_slice(&text[copied..found.start()]);
            if let Some(groups) = &mut groups {
                self.regex.captures_read_at(groups, text, found.start());
            }
            self.put(&mut masked, text, groups.as_ref());
            copied = found.end();
            next = self.find_behind(text, copied);
        }
        masked.extend_from_slice(&text[copied..]);
        Some(masked)
    }

    /// The next match after one that ended at `end`; an empty match directly there does not count.
    fn find_behind<'t>(&self, text: &'t [u8], end: usize) -> Option<Match<'t>> {
        match self.regex.find_at(text, end)? {
            found if found.end() > end => Some(found),
            _ if end < text.len() => self.regex.find_at(text, end + 1),
            _ => None,
        }
    }

    fn put(&self, masked: &mut Bytes, text: &[u8], groups: Option<&CaptureLocations>) {
        for part in self.replacement.parts() {
            match part {
                Part::Text(text) => masked.extend_from_slice(text),
                Part::Group(group) => {
                    if let Some((start, end)) = groups.and_then(|groups| groups.get(*group)) {
                        masked.extend_from_slice(&text[start..end]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, replacement: &str, text: &str, expected: Option<&str>) {
        let masked = Rule::new(pattern, replacement).unwrap().replace_all(text.as_bytes());
        let masked = masked.as_ref().map(|masked| std::str::from_utf8(masked).unwrap());
        assert_eq!(masked, expected, "s/{pattern}/{replacement}/g on {text:?}");
    }

    #[test]
    fn replaces_as_sed_does() {
        for (pattern, replacement, text, expected) in SAMPLES {
            check(pattern, replacement, text, *expected);
        }
    }

    #[test]
    fn sed_itself_agrees() {
        for (pattern, replacement, text, expected) in SAMPLES {
            let script = format!("s/{pattern}/{}/g", to_sed(replacement));
            let shell = r#"printf %s "$1" | LC_ALL=C.UTF-8 sed -E "$2""#;
            let output = std::process::Command::new("sh").args(["-c", shell, "sh", text, &script]).output();
            let output = output.expect("there is a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected.unwrap_or(text), "{script} on {text:?}");
        }
    }

    /// Pattern, replacement, text, and the expected result.
    const SAMPLES: &[(&str, &str, &str, Option<&str>)] = &[
        ("b+", "***", "abbbcb", Some("a***c***")),
        ("b", "***", "aaa", None),
        ("b", "***", "", None),
        ("b", "", "abc", Some("ac")),
        ("^a", "x", "aa", Some("xa")),
        ("a$", "x", "aa", Some("ax")),
        ("x*", "-", "abc", Some("-a-b-c-")),
        ("a*", "x", "baaac", Some("xbxcx")),
        ("\\b", "|", "ab cd", Some("|ab| |cd|")),
        ("\\ba", "x", "aa a", Some("xa x")),
        (".", "x", "\u{e9}a", Some("xx")),
        ("(a)(b)?", "[$1$2]", "ab a", Some("[ab] [a]")),
        ("([0-9]+)-([0-9]+)", "$2-$1", "1-2 30-40", Some("2-1 40-30")),
        ("([a-z]+)=[^ ]+", "${1}=$0", "user=jo", Some("user=user=jo")),
    ];

    fn to_sed(replacement: &str) -> String {
        replacement.replace("${1}", "\\1").replace("$0", "\\0").replace('$', "\\")
    }
}

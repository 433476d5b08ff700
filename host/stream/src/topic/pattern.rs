//! One pattern: how it is written, and which topics it matches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The token that stands for exactly one, and the one that stands for all that remain.
pub(super) const ONE: &str = "*";
pub(super) const REST: &str = ">";

/// A pattern of topics, such as `log.*.error` or `log.>`.
///
/// # Invariants
/// At most [`Pattern::MAX_BYTES`] long, of at most [`Pattern::MAX_TOKENS`] tokens. No token is empty. `*` and `>` are
/// tokens of their own, and `>` is the last one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Box<str>);

/// Why a text is not a pattern of topics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPattern {
    /// Nothing stands before, after or between its dots.
    #[error(
        "`{}` is not a pattern of topics: its token {token} is empty; one dot goes between two tokens, as in `log.app`",
        pattern.escape_debug()
    )]
    #[non_exhaustive]
    EmptyToken {
        /// The text.
        pattern: String,
        /// Which token, counted from 1.
        token: usize,
    },
    /// A wildcard with other characters around it.
    #[error(
        "`{}` is not a pattern of topics: its token {token} has more than the `{wildcard}`; \
         `*` is one whole token, `>` the whole rest, and as characters they are written %2A and %3E",
        pattern.escape_debug()
    )]
    #[non_exhaustive]
    PartialWildcard {
        /// The text.
        pattern: String,
        /// Which token, counted from 1.
        token: usize,
        /// The wildcard: `*` or `>`.
        wildcard: char,
    },
    /// Tokens behind the one that stands for all that remain.
    #[error(
        "`{}` is not a pattern of topics: its token {token} is `>`, which is only allowed as the last one; \
         `*` is any one token",
        pattern.escape_debug()
    )]
    #[non_exhaustive]
    RestNotLast {
        /// The text.
        pattern: String,
        /// Which token, counted from 1.
        token: usize,
    },
    /// More bytes than a pattern may have.
    #[error("a pattern of topics has at most {} bytes, and this one has {bytes}", Pattern::MAX_BYTES)]
    #[non_exhaustive]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// More tokens than a pattern may have.
    #[error(
        "`{}` is not a pattern of topics: it has {tokens} tokens, and {} are allowed",
        pattern.escape_debug(),
        Pattern::MAX_TOKENS
    )]
    #[non_exhaustive]
    TooManyTokens {
        /// The text.
        pattern: String,
        /// How many tokens it has.
        tokens: usize,
    },
}

impl Pattern {
    /// How many bytes a pattern may have.
    pub const MAX_BYTES: usize = 1024;

    /// How many tokens a pattern may have.
    pub const MAX_TOKENS: usize = 64;

    /// Whether the pattern matches the topic, which may be any text.
    ///
    /// It is the rule as it is written. [`Subscriptions`](super::Subscriptions) finds the same, for many patterns.
    pub fn matches(&self, topic: &str) -> bool {
        let mut topic = topic.split('.');
        for token in self.tokens() {
            let Some(found) = topic.next() else { return false };
            match token {
                REST => return true,
                ONE => {}
                exact if exact == found => {}
                _ => return false,
            }
        }
        topic.next().is_none()
    }

    /// Its tokens, wildcards included.
    pub(super) fn tokens(&self) -> std::str::Split<'_, char> {
        self.0.split('.')
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        // First, so that no error holds or shows a text without bounds.
        if text.len() > Pattern::MAX_BYTES {
            return Err(InvalidPattern::TooLong { bytes: text.len() });
        }
        let pattern = || text.to_owned();
        let tokens = text.split('.').count();
        if tokens > Pattern::MAX_TOKENS {
            return Err(InvalidPattern::TooManyTokens { pattern: pattern(), tokens });
        }
        for (token, content) in (1..).zip(text.split('.')) {
            match content {
                "" => return Err(InvalidPattern::EmptyToken { pattern: pattern(), token }),
                REST if token < tokens => return Err(InvalidPattern::RestNotLast { pattern: pattern(), token }),
                ONE | REST => {}
                _ => {
                    if let Some(wildcard) = content.chars().find(|letter| matches!(letter, '*' | '>')) {
                        return Err(InvalidPattern::PartialWildcard { pattern: pattern(), token, wildcard });
                    }
                }
            }
        }
        // INVARIANT: all of it was checked.
        Ok(Pattern(text.into()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Pattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_the_rule_says() {
        for (pattern, topic, expected) in [
            ("log", "log", true),
            ("log", "Log", false),
            ("log", "logs", false),
            ("log", "log.app", false),
            ("log.app", "log", false),
            ("log.app", "log.app", true),
            ("log.*", "log.app", true),
            ("log.*", "log", false),
            ("log.*", "log.app.error", false),
            ("*", "log", true),
            ("*", "log.app", false),
            ("*.*", "log.app", true),
            ("*.app", "log.app", true),
            ("*.app", "app", false),
            ("log.*.error", "log.app.error", true),
            ("log.*.error", "log.error", false),
            ("log.*.error", "log.a.b.error", false),
            ("log.>", "log.app", true),
            ("log.>", "log.app.error", true),
            ("log.>", "log", false),
            ("log.>", "logs.app", false),
            ("*.>", "log", false),
            ("*.>", "log.app", true),
            (">", "log", true),
            (">", "log.app.error", true),
            // What only a stranger would publish.
            (">", "", true),
            ("*", "", true),
            ("log", "", false),
            (">", "...", true),
            ("log.*", "log.", true),
            ("log.>", "log.", true),
            ("log.>", "log..", true),
            ("log.*.error", "log..error", true),
            ("log.error", "log..error", false),
            ("*.*.*.*", "...", true),
            // In a topic, wildcards are characters.
            ("log.app", "log.*", false),
            ("log.app", "log.>", false),
            ("log.app", ">", false),
            ("log.*", "log.*", true),
            ("log.>", "log.>", true),
            // A token is any other text.
            ("größe.*", "größe.π", true),
            ("größe", "gro\u{308}ße", false),
            ("a b", "a b", true),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(topic), expected, "`{pattern}` and `{topic}`");
        }
    }

    #[test]
    fn refusals_name_the_culprit_and_what_is_allowed() {
        let long = "a".repeat(1025);
        let deep = vec!["a"; 65].join(".");
        for (text, part) in [
            ("", "`` is not a pattern of topics: its token 1 is empty; one dot goes between two tokens"),
            (".log", "token 1 is empty"),
            ("log..app", "`log..app` is not a pattern of topics: its token 2 is empty"),
            ("log.>.", "token 2 is `>`, which is only allowed as the last one"),
            ("log.", "token 2 is empty"),
            (">.log", "token 1 is `>`, which is only allowed as the last one; `*` is any one token"),
            (">.>", "token 1 is `>`"),
            ("log.a*", "token 2 has more than the `*`; `*` is one whole token, `>` the whole rest"),
            ("**.log", "token 1 has more than the `*`"),
            ("log.>>", "token 2 has more than the `>`"),
            ("log.*>", "token 2 has more than the `*`"),
            ("log.a>", "as characters they are written %2A and %3E"),
            ("a\u{1b}.", "`a\\u{1b}.` is not a pattern"),
            (&long, "a pattern of topics has at most 1024 bytes, and this one has 1025"),
            (&deep, "it has 65 tokens, and 64 are allowed"),
        ] {
            let error = text.parse::<Pattern>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
            assert!(error.starts_with('`') || error.starts_with('a'), "a fragment: {error}");
        }
    }

    #[test]
    fn the_longest_and_the_deepest_are_allowed() {
        for text in ["a".repeat(1024), vec!["*"; 64].join(".")] {
            assert!(text.parse::<Pattern>().unwrap().matches(&text));
        }
    }

    #[test]
    fn a_pattern_is_written_as_it_was_read() {
        for text in ["log", "log.*.error", "*.größe.>", ">"] {
            let pattern: Pattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), text);
            let json = serde_json::to_string(&pattern).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), pattern);
        }
        let error = serde_json::from_str::<Pattern>("\"log.\"").unwrap_err().to_string();
        assert!(error.contains("its token 2 is empty"), "{error}");
    }
}

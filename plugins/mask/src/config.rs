//! The operator's configuration.

use hookrail_abi::config;

/// Configuration of the plugin `mask`.
#[config]
pub(crate) struct Config {
    /// What to mask. The patterns apply in this order, each to the result of the ones before it.
    #[schemars(length(min = 1))]
    pub(crate) patterns: Vec<Pattern>,

    /// Names of the headers to mask; case-sensitive. None by default.
    #[serde(default)]
    pub(crate) headers: Vec<String>,

    /// Whether to mask the body.
    #[serde(default = "yes")]
    pub(crate) body: bool,
}

/// A regular expression, or one with its own replacement.
#[config]
#[serde(untagged, expecting = "a pattern is a text, or a table of `pattern` and `replacement`")]
pub(crate) enum Pattern {
    /// A regular expression; what it matches becomes `***`.
    Plain(String),
    /// A regular expression and its replacement.
    Replacing(Replacing),
}

/// A regular expression and the replacement for its matches.
#[config]
pub(crate) struct Replacing {
    /// The regular expression.
    pub(crate) pattern: String,

    /// The replacement for a match: `$1` or `${name}` is a group of the pattern, `$0` is the whole match, `$$` is a
    /// dollar sign.
    #[serde(default = "stars")]
    pub(crate) replacement: String,
}

impl From<Pattern> for Replacing {
    fn from(pattern: Pattern) -> Self {
        match pattern {
            Pattern::Plain(pattern) => Replacing { pattern, replacement: stars() },
            Pattern::Replacing(replacing) => replacing,
        }
    }
}

fn stars() -> String {
    "***".into()
}

fn yes() -> bool {
    true
}

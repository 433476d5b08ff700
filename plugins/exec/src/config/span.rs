//! Times in a configuration.

use std::fmt;
use std::time::Duration;

use hookrail_abi::schemars1::JsonSchema;
use hookrail_abi::serde::{Deserialize, Serialize};

/// A time as an operator writes it: `"250ms"`, `"5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(crate = "hookrail_abi::serde", try_from = "String", into = "String")]
#[schemars(crate = "hookrail_abi::schemars1")]
pub(crate) struct Span(Duration);

impl Span {
    pub(crate) const fn seconds<const COUNT: u64>() -> Self {
        Span(Duration::from_secs(COUNT))
    }

    pub(crate) const fn time(self) -> Duration {
        self.0
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = humantime::parse_duration(&text);
        time.map(Span).map_err(|_| format!("\"{text}\" is no time, such as \"250ms\" or \"5m\""))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

//! Traces: what single dispatches did, step by step, for callers that asked for them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constructors;
use crate::named::display_name;
use crate::parse::ParseError;

/// What one dispatch did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trace {
    /// When it began.
    #[serde(with = "crate::time")]
    pub time: SystemTime,
    /// The name of the thread it ran on, as the system has it: 15 bytes at most.
    pub thread: String,
    /// The system's id of that thread.
    pub thread_id: u32,
    /// The payload before the dispatch, with secrets masked; null if it never leaves the process.
    pub payload: Value,
    /// The callbacks it reached, in order.
    pub steps: Vec<TraceStep>,
    /// The decision.
    pub decision: TraceDecision,
    /// The code of a denial.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<u32>,
    /// How long it took, in nanoseconds, excluding the tracing between the steps.
    pub took_ns: u64,
}

/// What one callback did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TraceStep {
    /// The callback, as `instance/callback`.
    pub callback: String,
    /// The verdict that it returned; if it was not called, the verdict that stands for it.
    pub verdict: StepVerdict,
    /// The code of a denial.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<u32>,
    /// What it reported: why it denied, or how it failed; or why it was not called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// How long it took, in nanoseconds.
    pub took_ns: u64,
    /// The payload after the step, if it changed; a payload restored after a fault counts as unchanged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payload: Option<Value>,
}

constructors! {
    /// A dispatch that has just begun.
    Trace(time: SystemTime, thread: impl Into<String>, thread_id: u32, payload: Value) {
        steps: Vec::new(),
        decision: TraceDecision::Undecided,
        code: None,
        took_ns: 0,
    }

    /// What a callback did at once, without a word, and without a change of the payload.
    TraceStep(callback: impl Into<String>, verdict: StepVerdict) { code: None, message: None, took_ns: 0, payload: None }

    /// A field that none of that many dispatches had.
    MissingField(field: impl Into<String>, dispatches: u64, fields: BTreeSet<String>)
}

/// The decision of a traced dispatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TraceDecision {
    /// A gate allowed it.
    Allowed,
    /// It was denied.
    Denied,
    /// No callback decided.
    #[default]
    Undecided,
    /// A callback handled it.
    Skipped,
    /// A value that a newer host sent.
    #[serde(other)]
    Unknown,
}

impl TraceDecision {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            TraceDecision::Allowed => "allowed",
            TraceDecision::Denied => "denied",
            TraceDecision::Undecided => "no callback decided",
            TraceDecision::Skipped => "skipped the rest",
            TraceDecision::Unknown => "unknown",
        }
    }
}

/// The verdict of a callback in a traced dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StepVerdict {
    /// Let it pass, and skip the rest.
    Allow,
    /// Continue with the next callback.
    Continue,
    /// Refuse it.
    Deny,
    /// The callback failed.
    Fault,
    /// The callback was not called, and the chain continued.
    NotCalled,
    /// The payload is handled: skip the rest.
    Skip,
    /// A value that a newer host sent.
    #[serde(other)]
    Unknown,
}

impl StepVerdict {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            StepVerdict::Allow => "allow",
            StepVerdict::Continue => "continue",
            StepVerdict::Deny => "deny",
            StepVerdict::Fault => "fault",
            StepVerdict::NotCalled => "not called",
            StepVerdict::Skip => "skip",
            StepVerdict::Unknown => "unknown",
        }
    }
}

display_name!(StepVerdict, TraceDecision);

/// Which dispatches to trace: those whose payload has a given value in a given field.
///
/// The name of a field in another one is written with dots: `request.path`. In a list of pairs, `headers.KEY` matches
/// if any of the pairs with that key has the value. Text is compared as it is, anything else as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceFilter {
    field: String,
    value: String,
}

impl TraceFilter {
    /// The field to compare.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Whether a value of that field matches the filter.
    pub fn is(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => *text == self.value,
            other => serde_json::to_string(other).is_ok_and(|json| json == self.value),
        }
    }
}

impl FromStr for TraceFilter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.split_once('=') {
            Some((field, value)) if !field.is_empty() => Ok(TraceFilter { field: field.into(), value: value.into() }),
            _ => {
                Err(ParseError::new(format!("`{text}` is not a filter: write FIELD=VALUE, for example topic=log.app")))
            }
        }
    }
}

impl TryFrom<String> for TraceFilter {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<TraceFilter> for String {
    fn from(filter: TraceFilter) -> String {
        filter.to_string()
    }
}

impl fmt::Display for TraceFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.field, self.value)
    }
}

/// The field of a filter was in the payload of no dispatch so far: it may be misspelt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingField {
    /// The field.
    pub field: String,
    /// The number of dispatches so far.
    pub dispatches: u64,
    /// The fields that their payloads have, by the names that filters use, up to a limit. Empty if the payload never
    /// leaves the process.
    pub fields: BTreeSet<String>,
}

impl fmt::Display for MissingField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MissingField { field, dispatches, fields } = self;
        let count = if *dispatches == 1 { "1 dispatch".into() } else { format!("{dispatches} dispatches") };
        write!(f, "no field `{field}` in {count}: ")?;
        if fields.is_empty() {
            return f.write_str("their payloads cannot be shown");
        }
        // A header's key may contain anything.
        let names: Vec<_> = fields.iter().map(|name| name.escape_debug().to_string()).collect();
        write!(f, "they have {}", names.join(", "))
    }
}

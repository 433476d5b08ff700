//! The result of a check.

use serde::{Deserialize, Serialize};

/// The finding of a check: what it did, in a few words, or why it did not pass.
pub(super) type Found = Result<String, Not>;

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Not {
    Failed(String),
    Skipped(String),
    Warned(String),
}

impl From<String> for Not {
    fn from(why: String) -> Self {
        Not::Failed(why)
    }
}

impl From<&str> for Not {
    fn from(why: &str) -> Self {
        Not::Failed(why.into())
    }
}

impl From<hookrail::Error> for Not {
    fn from(error: hookrail::Error) -> Self {
        Not::Failed(error.to_string())
    }
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// The plugin behaves as it should.
    Passed,
    /// The plugin works, but not as it should.
    Warned,
    /// The plugin does not conform.
    Failed,
    /// Its process ended before it had an answer, perhaps by a signal.
    Crashed {
        /// The number of the signal, if it was one.
        signal: Option<i32>,
    },
    /// It had no answer in time and was killed.
    TimedOut,
    /// There was nothing to check, or a check that it needs did not pass.
    Skipped,
}

impl Status {
    /// Its name, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Status::Passed => "passed",
            Status::Warned => "warned",
            Status::Failed => "failed",
            Status::Crashed { .. } => "crashed",
            Status::TimedOut => "timed out",
            Status::Skipped => "skipped",
        }
    }

    /// Whether the plugin does not conform.
    pub fn is_bad(&self) -> bool {
        matches!(self, Status::Failed | Status::Crashed { .. } | Status::TimedOut)
    }
}

/// The answer that a check's process writes at its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    #[serde(flatten)]
    /// How the check ended.
    pub status: Status,
    /// What it did, or why it did not pass.
    pub detail: String,
}

impl From<Found> for Answer {
    fn from(found: Found) -> Self {
        let (status, detail) = match found {
            Ok(did) => (Status::Passed, did),
            Err(Not::Failed(why)) => (Status::Failed, why),
            Err(Not::Skipped(why)) => (Status::Skipped, why),
            Err(Not::Warned(why)) => (Status::Warned, why),
        };
        Answer { status, detail }
    }
}

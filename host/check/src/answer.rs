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

impl Answer {
    /// The answer of a check whose process has ended: as it was written, unless a signal ended the process, or it did not
    /// end well.
    pub(super) fn of_ended(written: Option<Answer>, signal: Option<i32>, code: Option<i32>, whose: &str) -> Self {
        match (written, signal, code) {
            (Some(answer), None, Some(0)) => answer,
            (written, Some(signal), _) => {
                let when = if written.is_some() { ", when the check was over and it ended" } else { "" };
                let detail = format!("{} ended its {whose}{when}", signal_name(signal));
                Answer { status: Status::Crashed { signal: Some(signal) }, detail }
            }
            (_, None, code) => {
                let code = code.map(|code| code.to_string()).unwrap_or_default();
                let detail = format!("its {whose} ended with the exit code {code}, and without an answer");
                Answer { status: Status::Crashed { signal: None }, detail }
            }
        }
    }
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

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTRAP => "SIGTRAP",
        _ => return format!("signal {signal}"),
    };
    name.into()
}

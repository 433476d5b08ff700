//! What came of a run, for people and for programs.

mod human;
mod json;
mod junit;

use std::time::Duration;

use super::answer::{Answer, Status};
use super::catalogue::Check;
use super::plan::Plan;
pub(super) use human::{list, text};
pub(super) use json::json;
pub(super) use junit::junit;

/// What came of one check.
pub(super) struct Outcome {
    pub(super) check: &'static Check,
    pub(super) answer: Answer,
    /// What its process did last; of use when it did not end well.
    pub(super) doing: String,
    /// What it printed.
    pub(super) output: String,
    pub(super) took: Duration,
}

/// What came of all of them.
pub(super) struct Report<'a> {
    pub(super) plan: &'a Plan,
    pub(super) plugin: String,
    pub(super) version: String,
    /// As it was named on the command line.
    pub(super) file: String,
    pub(super) strictness: u8,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) took: Duration,
}

impl Report<'_> {
    pub(super) fn is_bad(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.answer.status.is_bad())
    }

    /// How many ended so, for every way there is.
    fn counts(&self) -> Vec<(&'static str, usize)> {
        let ways = [
            Status::Passed,
            Status::Warned,
            Status::Failed,
            Status::Crashed { signal: None },
            Status::TimedOut,
            Status::Skipped,
        ];
        let count = |name| self.outcomes.iter().filter(|outcome| outcome.answer.status.name() == name).count();
        ways.iter().map(|way| (way.name(), count(way.name()))).collect()
    }

    /// The command that runs one check again, for a debugger.
    fn again(&self, check: &Check) -> String {
        let config = self.plan.config.as_ref().map(|file| format!(" --config {}", quoted(&file.display().to_string())));
        let quick = if self.plan.is_quick { " --quick" } else { "" };
        format!(
            "hookrail check {} --only {} --seed {}{}{quick} --in-process",
            quoted(&self.file),
            check.name,
            self.plan.seed,
            config.unwrap_or_default()
        )
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

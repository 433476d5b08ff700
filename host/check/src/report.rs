//! The results of a run, for people and for programs.

mod human;
mod json;
mod junit;

use std::time::Duration;

use super::answer::{Answer, Status};
use super::check::Check;
use super::plan::Plan;
pub use human::{Column, Look, list, text};
pub use json::json;
pub use junit::junit;

/// The outcome of one check.
pub struct Outcome {
    /// The check.
    pub check: &'static Check,
    /// How it ended.
    pub answer: Answer,
    /// The last step of its process; useful if it did not end well.
    pub doing: String,
    /// What it printed.
    pub output: String,
    /// How long it took.
    pub took: Duration,
}

/// The outcomes of all checks.
pub struct Report<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
    /// The plugin's name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The library, as the caller named it.
    pub file: String,
    /// The strictness of the run.
    pub strictness: u8,
    /// In which process the plugin's note asks to be run, if it does: `worker`, `in-process`.
    pub wish: Option<String>,
    /// The outcomes, in the order of the catalogue.
    pub outcomes: Vec<Outcome>,
    /// How long the whole run took.
    pub took: Duration,
    /// The command that runs one check again, for a debugger.
    pub again: &'a (dyn Fn(&Check) -> String + 'a),
}

impl Report<'_> {
    /// In which process the plugin was.
    fn isolation(&self) -> &'static str {
        if self.plan.is_isolated { "worker" } else { "in-process" }
    }

    /// Whether the plugin does not conform.
    pub fn is_bad(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.answer.status.is_bad())
    }

    /// How many checks ended with each status.
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
}

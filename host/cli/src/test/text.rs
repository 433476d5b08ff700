//! What came of the cases, for people.

use std::fmt::Write;

use super::play::Failure;
use super::report::{CaseReport, FileReport, Report};
use crate::harmless::{END, RED, part};
use crate::{print, stderr, stdout};

pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    for FileReport { file, cases } in &report.files {
        let file = part(file.display().to_string());
        let _ = writeln!(text, "{}", print::bold(&file));
        for CaseReport { name, messages, passed, failures, .. } in cases {
            let (name, of) = (part(name.clone()), if *messages == 1 { "message" } else { "messages" });
            let _ = match passed {
                true => writeln!(text, "  ok    {name} ({messages} {of})"),
                false => writeln!(text, "  {}  {name} ({messages} {of})", red("FAIL")),
            };
            for Failure { line, message, what, expected, came } in failures {
                let [expected, came] = [expected, came].map(|said| part(said.clone()));
                let _ = writeln!(text, "        {file}:{line}: message {message}, {what}");
                let _ = writeln!(text, "          expected  {expected}\n          came      {came}");
            }
        }
    }
    let _ = write!(text, "{} passed, {} failed", report.passed, report.failed);
    text
}

fn red(text: &str) -> String {
    if stderr::has_colour(stdout::ours()) { format!("{RED}{text}{END}") } else { text.into() }
}

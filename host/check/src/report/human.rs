//! The report for people: a table for each kind of check, and a paragraph for each check that did not pass.

use std::fmt::Write;

use super::{Outcome, Report};
use crate::answer::Status;
use crate::catalogue::ALL;
use crate::check::Kind;

/// What a column of a table contains.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Numbers, under this name.
    Number(&'static str),
    /// Text, under this name.
    Text(&'static str),
}

/// How the program displays text, so that this report looks like the rest.
pub trait Look {
    /// Bold text, if that can be displayed.
    fn bold(&self, text: &str) -> String;
    /// A table.
    fn table(&self, columns: &[Column], rows: Vec<Vec<String>>) -> String;
}

/// The whole report.
pub fn text(report: &Report<'_>, look: &impl Look) -> String {
    let mut text = format!("{} {}\n", look.bold(&report.plugin), printable(&report.version));
    for kind in Kind::ALL {
        let rows: Vec<_> = report.outcomes.iter().filter(|outcome| outcome.check.kind == kind).map(row).collect();
        if rows.is_empty() {
            continue;
        }
        let columns =
            [Column::Text(kind.name()), Column::Text("status"), Column::Number("ms"), Column::Text("what was found")];
        let _ = write!(text, "\n{}\n", look.table(&columns, rows));
    }
    for outcome in report.outcomes.iter().filter(|outcome| outcome.answer.status.is_bad()) {
        let _ = write!(text, "\n{}", paragraph(report, outcome, look));
    }
    let counts: Vec<_> = report.counts().into_iter().filter(|(_, count)| *count > 0).collect();
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let _ = write!(
        text,
        "\n{} checks in {:.1} s: {} (strictness {}, seed {}{})",
        report.outcomes.len(),
        report.took.as_secs_f64(),
        counts.join(", "),
        report.strictness,
        report.plan.seed,
        if report.plan.is_isolated { ", in a worker" } else { "" }
    );
    if !report.plan.is_isolated && report.wish.as_deref() == Some("worker") {
        text.push_str("\nits note asks for a worker, so hosts run it in one: check it there too, with --isolated");
    }
    text
}

/// The existing checks.
pub fn list(look: &impl Look) -> String {
    let columns =
        [Column::Text("check"), Column::Text("kind"), Column::Number("level"), Column::Text("what is checked")];
    let rows = ALL
        .iter()
        .map(|check| vec![check.name.into(), check.kind.name().into(), check.level.to_string(), check.about.into()]);
    look.table(&columns, rows.collect())
}

fn row(outcome: &Outcome) -> Vec<String> {
    let found = match outcome.answer.status {
        // The details follow below.
        Status::Failed | Status::Crashed { .. } | Status::TimedOut => outcome.check.about.to_owned(),
        _ => outcome.answer.detail.clone(),
    };
    vec![
        outcome.check.name.into(),
        outcome.answer.status.name().into(),
        outcome.took.as_millis().to_string(),
        printable(&found),
    ]
}

fn paragraph(report: &Report<'_>, outcome: &Outcome, look: &impl Look) -> String {
    let (check, status) = (outcome.check, &outcome.answer.status);
    let mut text = format!("{}\n", look.bold(&format!("{} {}", check.name, status.name())));
    let mut say = |what: &str, said: &str| _ = writeln!(text, "  {what:<9}{}", printable(said));
    say("what", &outcome.answer.detail);
    if *status != Status::Failed && !outcome.doing.is_empty() {
        say("while", &outcome.doing);
    }
    say("why", check.why);
    say("again", &(report.again)(check));
    const SHOWN: usize = 12;
    let lines: Vec<_> = outcome.output.lines().collect();
    for line in &lines[lines.len().saturating_sub(SHOWN)..] {
        say("printed", line);
    }
    text
}

/// A plugin may report anything: no escape sequence in it must reach a terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::plan::Plan;

    struct Plain;

    impl Look for Plain {
        fn bold(&self, text: &str) -> String {
            text.into()
        }

        fn table(&self, _: &[Column], _: Vec<Vec<String>>) -> String {
            String::new()
        }
    }

    fn last_line(is_isolated: bool, wish: Option<&str>) -> String {
        let plan =
            Plan { file: PathBuf::new(), config: None, seed: 7, is_quick: true, is_isolated, timeout: Duration::ZERO };
        let report = Report {
            plan: &plan,
            plugin: "a".into(),
            version: "1.0.0".into(),
            file: "a.so".into(),
            strictness: 5,
            wish: wish.map(Into::into),
            outcomes: Vec::new(),
            took: Duration::ZERO,
            again: &|_| String::new(),
        };
        text(&report, &Plain).lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn who_asks_for_a_worker_is_told_to_check_there() {
        for wish in [None, Some("in-process")] {
            assert!(last_line(false, wish).ends_with("(strictness 5, seed 7)"), "{wish:?}");
        }
        assert!(last_line(false, Some("worker")).contains("asks for a worker"));
        assert!(last_line(true, Some("worker")).ends_with("(strictness 5, seed 7, in a worker)"));
    }
}

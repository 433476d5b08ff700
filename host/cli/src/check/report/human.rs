//! For people: a table for each kind of check, and a paragraph for each that did not pass.

use std::fmt::Write;

use super::{Outcome, Report};
use crate::check::answer::Status;
use crate::check::catalogue::{ALL, Kind};
use crate::print;
use crate::table::{Column, Target, table};

pub(in super::super) fn text(report: &Report<'_>) -> String {
    let mut text = format!("{} {}\n", print::bold(&report.plugin), report.version);
    for kind in Kind::ALL {
        let rows: Vec<_> = report.outcomes.iter().filter(|outcome| outcome.check.kind == kind).map(row).collect();
        if rows.is_empty() {
            continue;
        }
        let columns =
            [Column::Text(kind.name()), Column::Text("status"), Column::Number("ms"), Column::Text("what was found")];
        let _ = write!(text, "\n{}\n", table(Target::Stdout, &columns, rows));
    }
    for outcome in report.outcomes.iter().filter(|outcome| outcome.answer.status.is_bad()) {
        let _ = write!(text, "\n{}", paragraph(report, outcome));
    }
    let counts: Vec<_> = report.counts().into_iter().filter(|(_, count)| *count > 0).collect();
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let _ = write!(
        text,
        "\n{} checks in {:.1} s: {} (strictness {}, seed {})",
        report.outcomes.len(),
        report.took.as_secs_f64(),
        counts.join(", "),
        report.strictness,
        report.plan.seed
    );
    text
}

/// The checks that there are.
pub(in super::super) fn list() -> String {
    let columns =
        [Column::Text("check"), Column::Text("kind"), Column::Number("level"), Column::Text("what is checked")];
    let rows = ALL
        .iter()
        .map(|check| vec![check.name.into(), check.kind.name().into(), check.level.to_string(), check.about.into()]);
    table(Target::Stdout, &columns, rows)
}

fn row(outcome: &Outcome) -> Vec<String> {
    let found = match outcome.answer.status {
        // All of it stands below.
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

fn paragraph(report: &Report<'_>, outcome: &Outcome) -> String {
    let (check, status) = (outcome.check, &outcome.answer.status);
    let mut text = format!("{}\n", print::bold(&format!("{} {}", check.name, status.name())));
    let mut say = |what: &str, said: &str| _ = writeln!(text, "  {what:<9}{}", printable(said));
    say("what", &outcome.answer.detail);
    if *status != Status::Failed && !outcome.doing.is_empty() {
        say("while", &outcome.doing);
    }
    say("why", check.why);
    say("again", &report.again(check));
    const SHOWN: usize = 12;
    let lines: Vec<_> = outcome.output.lines().collect();
    for line in &lines[lines.len().saturating_sub(SHOWN)..] {
        say("printed", line);
    }
    text
}

/// What a plugin said may be anything: nothing of it is to reach a terminal as an escape sequence.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

//! `hookrail doctor`: whether this machine has what hosts need, as seen by this user.

mod finding;
mod home;
mod kernel;
mod limits;
mod plugins;

use serde::Serialize;

use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::{END, RED, part};
use crate::{args, print, settings, stderr, stdout};

use finding::{Finding, State};

#[derive(Serialize)]
struct Report {
    failures: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

pub(crate) fn run(options: &args::Doctor) -> Result<ExitCode, Error> {
    let mut findings = kernel::look();
    findings.extend(limits::look());
    findings.extend(home::look(&settings::home()));
    findings.extend(plugins::look());
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let report = Report { failures: count(State::Failure), warnings: count(State::Warning), findings };
    if options.json {
        print::json(&report)?
    } else {
        print::lines(text(&report))?
    }
    Ok(if report.failures == 0 { ExitCode::Ok } else { ExitCode::Failure })
}

fn text(Report { failures, warnings, findings }: &Report) -> String {
    let mut lines = Vec::new();
    let mut group = "";
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or_default();
    for Finding { group: of, name, state, found, fix } in findings {
        if group != *of {
            group = of;
            lines.push(print::bold(group));
        }
        let state = match state {
            State::Ok => "ok     ".into(),
            State::Note => "note   ".into(),
            State::Warning => "warning".into(),
            State::Failure => red("failure"),
        };
        lines.push(format!("  {state}  {name:<width$}  {}", part(found.clone())));
        lines.extend(fix.iter().map(|fix| format!("  {:7}  {:<width$}  fix: {}", "", "", part(fix.clone()))));
    }
    lines.push(format!("{}, {}", count(*failures, "failure"), count(*warnings, "warning")));
    lines.join("\n")
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

fn red(text: &str) -> String {
    if stderr::has_colour(stdout::ours()) { format!("{RED}{text}{END}") } else { text.into() }
}

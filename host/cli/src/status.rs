//! `hookrail status`: what a running host is doing.

use std::time::Duration;

use hookrail::control::Manage;
use hookrail::control::command::Status;

use crate::args::Common;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::part;
use crate::{print, remote};

pub(crate) fn run(options: &Common) -> Result<ExitCode, Error> {
    let program = remote::connect(&options.selection)?.ask(Status::new())?;
    if options.json {
        print::json(&program)?;
        return Ok(ExitCode::Ok);
    }
    let mut facts = vec![
        ("pid".to_owned(), program.pid.to_string()),
        ("version".into(), program.version),
        ("up".into(), humantime::format_duration(Duration::from_secs(program.uptime_ms / 1000)).to_string()),
        ("plugins".into(), program.plugins.to_string()),
    ];
    // The program's own report, in its own words.
    if let Some(report) = program.report.as_object() {
        facts.extend(report.iter().map(|(name, value)| (name.clone(), value.to_string())));
    }
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<_> = facts.iter().map(|(name, value)| part(format!("  {name:<width$}  {value}"))).collect();
    print::lines(lines.join("\n"))?;
    Ok(ExitCode::Ok)
}

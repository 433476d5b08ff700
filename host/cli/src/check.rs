//! `hookrail check`: whether a plugin conforms, each check in a process of its own that is really killed
//! when it takes too long.
//!
//! This process never opens the library: it reads its file, as `hookrail inspect` does.

mod answer;
mod catalogue;
mod checks;
mod child;
mod known;
#[expect(unreachable_pub, reason = "the tests of the workspace take this file in too, by its path")]
mod leftovers;
mod payload;
mod plan;
mod random;
mod raw;
mod report;
mod sandbox;
mod schedule;
mod subject;
mod surroundings;

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use self::catalogue::Check;
use self::plan::{Plan, chosen};
use self::report::Report;
use self::sandbox::Scratch;
use crate::args;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::print;
use crate::talk;

pub(crate) use child::run as run_one;

pub(crate) fn run(options: &args::Check) -> Result<ExitCode, Error> {
    let checks = chosen(options)?;
    let Some(file) = &options.file else {
        // Without a file there is only the list to ask for: the arguments see to it.
        return list(options);
    };
    if options.list {
        return list(options);
    }
    if options.in_process && checks.len() != 1 {
        // A library is attached once in a process, and what one check left would be there for the next.
        return Err(Error::NotOneCheck(checks.len()));
    }
    let inspection = hookrail::inspect(file)?;
    let plan = Plan::new(options, file)?;
    if let Some(config) = &plan.config {
        hookrail::Config::read(config)?;
    }
    let began = Instant::now();
    let outcomes = all(&plan, &checks, options.in_process)?;
    let report = Report {
        plan: &plan,
        plugin: inspection.note.name,
        version: inspection.note.version,
        file: file.display().to_string(),
        strictness: options.strictness,
        outcomes,
        took: began.elapsed(),
    };
    if let Some(file) = &options.junit {
        std::fs::write(file, report::junit(&report))
            .map_err(|source| Error::Output { file: file.display().to_string(), source })?;
    }
    if options.json {
        print::json(&report::json(&report))?
    } else {
        print::line(report::text(&report))?
    }
    Ok(if report.is_bad() { ExitCode::Failure } else { ExitCode::Ok })
}

fn list(options: &args::Check) -> Result<ExitCode, Error> {
    if options.json {
        print::json(&catalogue::ALL)?
    } else {
        print::line(report::list())?
    }
    Ok(ExitCode::Ok)
}

/// Runs the checks, each in a process of its own, or the only one in this one.
fn all(plan: &Plan, checks: &[&'static Check], in_process: bool) -> Result<Vec<report::Outcome>, Error> {
    let scratch = Scratch::new().map_err(|source| Error::System { what: "make a folder to check in", source })?;
    if in_process {
        let home = std::env::current_dir();
        let begins = |_, check: &Check| talk::line(format_args!("{}: {}", check.name, check.about));
        let done = schedule::run(checks, 1, begins, |check| child::here(plan, check, &scratch.folder(check)));
        // The folders of the checks go, so nobody may stay in one.
        let _ = home.and_then(std::env::set_current_dir);
        return Ok(done);
    }
    let bar = ProgressBar::new(checks.len() as u64);
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} {msg} {elapsed}");
    bar.set_style(style.expect("our template is well-formed"));
    talk::beside(&bar);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let begins = |over, check: &Check| {
        bar.set_position(over as u64);
        bar.set_message(check.name);
    };
    let done = schedule::run(checks, workers, begins, |check| sandbox::run(plan, check, &scratch.folder(check)));
    bar.finish_and_clear();
    Ok(done)
}

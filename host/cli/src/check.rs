//! `hookrail check`: whether a plugin conforms. The checks are in `hookrail-check`; this module has their arguments,
//! their child processes and the display of their results.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hookrail_check::{Check, Column, Look, One, Outcome, Plan, Report};
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Error;
use crate::exit::ExitCode;
use crate::shell::quoted;
use crate::{args, print, settings, stderr, table};

pub(crate) fn run(options: &args::Check) -> Result<ExitCode, Error> {
    let checks = hookrail_check::choose(&options.only, &options.skip, options.strictness)?;
    let Some(file) = &options.file else {
        // Without a file, the arguments only allow the list.
        return list(options);
    };
    if options.list {
        return list(options);
    }
    if options.in_process && checks.len() != 1 {
        return Err(Error::NotOneCheck(checks.len()));
    }
    let inspection = hookrail::inspect(file)?;
    let (config, seed) = (settings::file().map(|file| file.path), options.seed.map(|seed| seed.0));
    let plan = Plan::new(file, config.as_deref(), seed, options.quick, options.timeout)?.isolated(options.isolated);
    if let Some(config) = plan.config() {
        hookrail::Config::read(config)?;
    }
    let began = Instant::now();
    let outcomes = all(&plan, &checks, options.in_process)?;
    let file = file.display().to_string();
    let report = Report {
        plan: &plan,
        plugin: inspection.note.name,
        version: inspection.note.version,
        file: file.clone(),
        strictness: options.strictness,
        wish: inspection.note.isolation,
        outcomes,
        took: began.elapsed(),
        again: &|check| again(&file, &plan, check),
    };
    if let Some(file) = &options.junit {
        std::fs::write(file, hookrail_check::junit(&report)).map_err(|cause| Error::writing(&file.display(), cause))?;
    }
    if options.json {
        print::json(&hookrail_check::json(&report))?
    } else {
        print::lines(hookrail_check::text(&report, &Stdout))?
    }
    Ok(if report.is_bad() { ExitCode::Failure } else { ExitCode::Ok })
}

/// Runs one check in this process, in which [`child`] has started it.
pub(crate) fn run_one(options: &args::CheckOne) -> Result<ExitCode, Error> {
    let args::CheckOne { file, check, seed, quick, isolated } = options;
    let (check, file, config) = (check.clone(), file.clone(), settings::file().map(|file| file.path));
    let (seed, is_quick, is_isolated) = (*seed, *quick, *isolated);
    hookrail_check::run_one(&One { check, file, config, seed, is_quick, is_isolated })?;
    Ok(ExitCode::Ok)
}

fn list(options: &args::Check) -> Result<ExitCode, Error> {
    if options.json {
        print::json(&hookrail_check::ALL)?
    } else {
        print::lines(hookrail_check::list(&Stdout))?
    }
    Ok(ExitCode::Ok)
}

/// Runs the checks, each in its own process; or the only one in this process.
fn all(plan: &Plan, checks: &[&'static Check], in_process: bool) -> Result<Vec<Outcome>, Error> {
    if let ([check], true) = (checks, in_process) {
        let begins = |_, check: &Check| stderr::line(format_args!("{}: {}", check.name, check.about));
        return Ok(hookrail_check::run_here(plan, check, begins)?);
    }
    let bar = ProgressBar::new(checks.len() as u64);
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} {msg} {elapsed}");
    bar.set_style(style.expect("our template is well-formed"));
    stderr::beside(&bar);
    let begins = |over, check: &Check| {
        bar.set_position(over as u64);
        bar.set_message(check.name);
    };
    let done = hookrail_check::run(plan, checks, child, begins);
    bar.finish_and_clear();
    Ok(done?)
}

/// The command that runs one check in its own process: this program, with [`args::CheckOne`].
fn child(one: &One) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("check-one").arg(&one.file).args(["--check", &one.check, "--seed", &one.seed.to_string()]);
    if let Some(config) = &one.config {
        command.arg("--config").arg(config);
    }
    command.args(one.is_quick.then_some("--quick")).args(one.is_isolated.then_some("--isolated"));
    Ok(command)
}

/// The command that runs one check again, for a debugger.
fn again(file: &str, plan: &Plan, check: &Check) -> String {
    let quoted_path = |file: &Path| quoted(&file.display().to_string());
    let config = plan.config().map(|file| format!(" --config {}", quoted_path(file))).unwrap_or_default();
    let quick = if plan.is_quick() { " --quick" } else { "" };
    // No debugger follows it into a worker by itself.
    let place = if plan.is_isolated() { "--isolated" } else { "--in-process" };
    let (file, name, seed) = (quoted(file), check.name, plan.seed());
    format!("hookrail check {file} --only {name} --seed {seed}{config}{quick} {place}")
}

/// The look of stdout.
struct Stdout;

impl Look for Stdout {
    fn bold(&self, text: &str) -> String {
        print::bold(text)
    }

    fn table(&self, columns: &[Column], rows: Vec<Vec<String>>) -> String {
        let ours = |column: &Column| match *column {
            Column::Number(name) => table::Column::Number(name),
            Column::Text(name) => table::Column::Text(name),
        };
        table::table(table::Target::Stdout, &columns.iter().map(ours).collect::<Vec<_>>(), rows)
    }
}

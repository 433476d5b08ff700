//! `hookrail test`: whether messages become what a file of tests says, in the plugins and pipelines of the configuration.

mod form;
mod play;
mod read;
mod report;
mod text;

use crate::error::Error;
use crate::exit::ExitCode;
use crate::plugins::Chosen;
use crate::{args, print, settings};

use play::Failure;
use report::{CaseReport, FileReport, Report};

pub(crate) fn run(options: &args::Test) -> Result<ExitCode, Error> {
    let files = read::all(&options.files, &settings::read()?.config)?;
    let mut report = Report { passed: 0, failed: 0, files: Vec::new() };
    for read::File { path, cases } in files {
        let mut of_file = FileReport { file: path, cases: Vec::new() };
        for case in cases {
            let failures = in_new_host(&case, options)?;
            let passed = failures.is_empty();
            *if passed { &mut report.passed } else { &mut report.failed } += 1;
            let messages = case.steps.len();
            let (name, line, pipeline) = (case.name, case.line, case.pipeline);
            of_file.cases.push(CaseReport { name, line, pipeline, messages, passed, failures });
        }
        report.files.push(of_file);
    }
    if options.json {
        print::json(&report)?
    } else {
        print::lines(text::of(&report))?
    }
    Ok(if report.failed == 0 { ExitCode::Ok } else { ExitCode::Failure })
}

/// Runs a case with plugins that have just started, and that keep what they keep elsewhere than in the home.
fn in_new_host(case: &read::Ready, options: &args::Test) -> Result<Vec<Failure>, Error> {
    let scratch = tempfile::tempdir().map_err(|cause| Error::system("make a directory for the plugins", cause))?;
    let mut chosen = Chosen::by(&options.setup)?;
    chosen.add_used()?;
    chosen.retain_those_on("message.publish")?;
    chosen.config.home = Some(scratch.path().into());
    chosen.is_trial = true;
    let (host, _manager) = chosen.load("hookrail test")?;
    play::run(case, &host)
}

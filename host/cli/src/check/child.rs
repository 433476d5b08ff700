//! One check, in the process that was started for it, or in this one for a debugger.

use std::fs::{self, File};
use std::path::Path;

use super::answer::{Answer, Not};
use super::catalogue::{Check, named};
use super::plan::Plan;
use super::report::Outcome;
use super::sandbox::{ANSWER, DOING};
use super::subject::Subject;
use crate::args::CheckOne;
use crate::error::Error;
use crate::exit::ExitCode;

/// Runs one check in this process, which ends with it, and leaves the answer in this folder.
pub(crate) fn run(options: &CheckOne) -> Result<ExitCode, Error> {
    // Nobody is left to kill it when its parent is gone.
    // SAFETY: a plain call.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let failed = |source| Error::System { what: "write down what a check found", source };
    let check = named(&options.check)
        .ok_or_else(|| Error::NoCheck { pattern: options.check.clone(), why: "names no check".into() })?;
    // The plugin may change the working folder.
    let answer_file = std::env::current_dir().map_err(failed)?.join(ANSWER);
    let mut subject = Subject::new(&options.file, options.config.as_deref(), options.seed, options.quick)?;
    subject.tells(File::create(DOING).map_err(failed)?);
    let answer = Answer::from((check.run)(&subject));
    let json = serde_json::to_vec(&answer).map_err(|error| failed(error.into()))?;
    fs::write(answer_file, json).map_err(failed)?;
    Ok(ExitCode::Ok)
}

/// Runs a check in this process: what it crashes or hangs, it crashes or hangs here.
pub(super) fn here(plan: &Plan, check: &'static Check, folder: &Path) -> Outcome {
    let began = std::time::Instant::now();
    let found = fs::create_dir_all(folder)
        .and_then(|()| std::env::set_current_dir(folder))
        .map_err(|error| Not::Failed(format!("there is no folder to run in: {error}")))
        .and_then(|()| {
            let subject = Subject::new(&plan.file, plan.config.as_deref(), plan.seed, plan.is_quick);
            (check.run)(&subject.map_err(|error| Not::Failed(error.to_string()))?)
        });
    Outcome { check, answer: found.into(), doing: String::new(), output: String::new(), took: began.elapsed() }
}

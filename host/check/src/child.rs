//! One check, in the process that was started for it, or in this process for a debugger.

use std::fs::{self, File};
use std::path::Path;

use super::answer::{Answer, Not};
use super::catalogue::named;
use super::check::Check;
use super::copies;
use super::error::Error;
use super::isolated;
use super::plan::{One, Plan};
use super::report::Outcome;
use super::subject::Subject;

/// The file that a check's process writes its answer to, in its own directory.
pub(super) const ANSWER: &str = "answer.json";
/// The file that a check's process writes its current step to.
pub(super) const DOING: &str = "doing";

/// Runs one check in this process, which ends with it, and leaves the answer in the current directory. If the plugin is
/// isolated, this process may be started once more, with the same arguments: it is to come here again.
///
/// # Errors
/// If there is no such check, the library or its configuration cannot be read, or the answer cannot be written.
pub fn run_one(one: &One) -> Result<(), Error> {
    // Nobody is left to kill it when its parent is gone.
    // SAFETY: the call takes numbers and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let failed = |cause| Error::system("write down what a check found", cause);
    let check =
        named(&one.check).ok_or_else(|| Error::NoCheck { pattern: one.check.clone(), why: "names no check".into() })?;
    // The plugin may change the working directory.
    let answer_file = std::env::current_dir().map_err(failed)?.join(ANSWER);
    let mut subject = Subject::new(&one.file, one.config.as_deref(), one.seed, one.is_quick)?;
    subject.tells(File::create(DOING).map_err(failed)?);
    copies::begin();
    let answer = match one.is_isolated && !isolated::is_inside() {
        true => isolated::perform(check, &mut subject, &answer_file)?,
        false => Answer::from((check.run)(&subject)),
    };
    let json = serde_json::to_vec(&answer).map_err(|error| failed(error.into()))?;
    fs::write(answer_file, json).map_err(failed)
}

/// Runs a check in this process: if the check crashes or hangs, so does this process.
pub(super) fn here(plan: &Plan, check: &'static Check, directory: &Path) -> Outcome {
    let began = std::time::Instant::now();
    copies::begin();
    let found = fs::create_dir_all(directory)
        .and_then(|()| std::env::set_current_dir(directory))
        .map_err(|error| Not::Failed(format!("there is no directory to run in: {error}")))
        .and_then(|()| {
            let subject = Subject::new(&plan.file, plan.config.as_deref(), plan.seed, plan.is_quick);
            (check.run)(&subject.map_err(|error| Not::Failed(error.to_string()))?)
        });
    Outcome { check, answer: found.into(), doing: String::new(), output: String::new(), took: began.elapsed() }
}

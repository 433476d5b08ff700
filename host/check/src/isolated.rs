//! A check of an isolated plugin: in a process like a worker's, or from a host that has the plugin in a worker.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use hookrail::worker::{Exit, ExitStatus, processes, run};

use super::answer::{Answer, Status};
use super::check::{Check, Isolated};
use super::error::Error;
use super::subject::Subject;

/// Tells the process that is like a worker's from the one that starts it: both have the same arguments.
const INSIDE: &str = "HOOKRAIL_CHECK_INSIDE";
/// How long workers may take to end with their hosts.
const LONG: Duration = Duration::from_secs(10);

/// Whether this process is the one that is like a worker's.
pub(super) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Performs a check in the check's own directory, which is the current one; a process that is started for it leaves its
/// answer in that file.
pub(super) fn perform(check: &Check, subject: &mut Subject, file: &Path) -> Result<Answer, Error> {
    match check.isolated {
        Isolated::Alike => Ok((check.run)(subject).into()),
        Isolated::Across => Ok(across(check, subject)),
        Isolated::Inside => inside(subject, file),
        Isolated::Both => {
            let inside = inside(subject, file)?;
            if inside.status != Status::Passed {
                return Ok(inside);
            }
            // What the plugin has left in its directory is not for the next.
            let directory = subject.directory.join("across");
            enter(&directory).map_err(|cause| Error::system("make a directory to check in", cause))?;
            subject.directory = directory;
            let across = across(check, subject);
            Ok(match across.status {
                // The check `loads` says why.
                _ if !subject.was_loaded() => inside,
                Status::Passed => {
                    Answer { detail: format!("{}; from a host, {}", inside.detail, across.detail), ..inside }
                }
                Status::Skipped => inside,
                _ => across,
            })
        }
    }
}

fn enter(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    env::set_current_dir(directory)
}

/// The check in a process like a worker's, which does the same as this one was started for.
fn inside(subject: &Subject, file: &Path) -> Result<Answer, Error> {
    let exit = run(&subject.limits(), env::args_os().skip(1), &[(INSIDE, "1")])?;
    let written = fs::read(file).ok().and_then(|json| serde_json::from_slice(&json).ok());
    // It is the answer to a part of the check.
    let _ = fs::remove_file(file);
    Ok(ended(written, exit))
}

/// The check from hosts here, which have the plugin in a worker.
fn across(check: &Check, subject: &mut Subject) -> Answer {
    subject.goes_across();
    let answer = Answer::from((check.run)(subject));
    // Its hosts are gone, and their workers with them, as soon as the system has ended those.
    let deadline = Instant::now() + LONG;
    let mut workers = processes();
    while workers.running > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
        workers = processes();
    }
    let said =
        |found: String| if answer.status == Status::Failed { format!("{found}: {}", answer.detail) } else { found };
    match workers.last_crash {
        Some(exit) => {
            let crashed = ended(None, exit);
            Answer { detail: said(crashed.detail), ..crashed }
        }
        None if workers.running > 0 => {
            let detail = said(format!("{} workers are left {} s after their hosts", workers.running, LONG.as_secs()));
            Answer { status: Status::Failed, detail }
        }
        None => answer,
    }
}

fn ended(written: Option<Answer>, exit: Exit) -> Answer {
    let (signal, code) = match exit.status {
        ExitStatus::Killed { signal, .. } => (Some(signal), None),
        ExitStatus::Exited { code, .. } => (None, Some(code)),
        _ => (None, None),
    };
    Answer::of_ended(written, signal, code, "worker")
}

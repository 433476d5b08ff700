//! Running the checks of a plan: each in its own process, or one in this process.
//!
//! The process that runs them in children never opens the library: it only reads its file, as `hookrail::inspect` does.

use std::io;
use std::process::Command;

use crate::check::Check;
use crate::child::here;
use crate::error::Error;
use crate::plan::{One, Plan};
use crate::report::Outcome;
use crate::sandbox::{self, Scratch};
use crate::schedule;

/// Runs the checks, as many at once as there are cores, each in its own process: `child` makes the command, which must
/// call [`run_one`](crate::run_one). `begins` is called with each check that starts, and with the number of finished
/// ones.
///
/// # Errors
/// If the directory for the checks' own directories cannot be created.
pub fn run(
    plan: &Plan,
    checks: &[&'static Check],
    child: impl Fn(&One) -> io::Result<Command> + Sync,
    begins: impl Fn(usize, &Check) + Sync,
) -> Result<Vec<Outcome>, Error> {
    let scratch = scratch()?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let run = |check| sandbox::run(plan, check, &scratch.directory(check), &child);
    Ok(schedule::run(checks, workers, begins, run))
}

/// Runs one check in this process: if the check crashes or hangs, so does this process. Only one check can be run: a
/// library is attached once per process, and what one check leaves behind would affect the next.
///
/// # Errors
/// As for [`run`].
pub fn run_here(
    plan: &Plan,
    check: &'static Check,
    begins: impl Fn(usize, &Check) + Sync,
) -> Result<Vec<Outcome>, Error> {
    let scratch = scratch()?;
    let home = std::env::current_dir();
    let done = schedule::run(&[check], 1, begins, |check| here(plan, check, &scratch.directory(check)));
    // The directories of the checks are removed, so the process must leave them.
    let _ = home.and_then(std::env::set_current_dir);
    Ok(done)
}

fn scratch() -> Result<Scratch, Error> {
    Scratch::new().map_err(|cause| Error::system("make a directory to check in", cause))
}

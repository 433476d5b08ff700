//! Running the checks of a plan: each in a process of its own, or one in this process.
//!
//! Who runs them in children never opens the library: it reads its file, as `hookrail::inspect` does.

use std::io;
use std::process::Command;

use crate::check::Check;
use crate::child::here;
use crate::error::Error;
use crate::plan::{One, Plan};
use crate::report::Outcome;
use crate::sandbox::{self, Scratch};
use crate::schedule;

/// Runs the checks, as many at once as there are cores, each in a process of its own: `child` makes the
/// command that is to end in [`run_one`](crate::run_one). `begins` hears of each that begins, and how many are
/// over.
///
/// # Errors
/// There is no directory for the directories of the checks.
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

/// Runs one check in this process: what it crashes or hangs, it crashes or hangs here. One only: a library
/// is attached once in a process, and what one check left would be there for the next.
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
    // The directories of the checks go, so nobody may stay in one.
    let _ = home.and_then(std::env::set_current_dir);
    Ok(done)
}

fn scratch() -> Result<Scratch, Error> {
    Scratch::new().map_err(|source| Error::System { what: "make a directory to check in", source })
}

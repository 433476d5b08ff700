//! This program, run as workers are, but in another role.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use hookrail_model::error::Error;
use hookrail_model::isolation::WorkerLimits;
use hookrail_model::unit::Exit;
use hookrail_supervise::Stdio;

use crate::alike;
use crate::limits::limited;
use crate::provider::Workers;

/// Runs this program once more in a process like a worker's, but as whatever these arguments and variables make of it:
/// what drives a plugin there finds what the plugin would. Waits for the end of the process, and kills what it leaves.
///
/// # Errors
/// If it cannot be started.
pub fn run(
    limits: &WorkerLimits,
    arguments: impl IntoIterator<Item = OsString>,
    variables: &[(&str, &str)],
) -> Result<Exit, Error> {
    let failed = |source| Error::system("start this program as a worker", source);
    let (spec, _) = limited(alike::spec(limits).map_err(failed)?, limits, 0);
    // Its host's stdout may carry data.
    let stderr = || io::stderr().as_fd().try_clone_to_owned().map(Stdio::Fd).map_err(failed);
    let mut spec = spec.stdout(stderr()?).stderr(stderr()?).args(arguments);
    for (name, value) in variables {
        spec = spec.env(*name, *value);
    }
    let process = Workers::of_this_process().supervisor()?.spawn(spec)?;
    loop {
        if let Some(exit) = process.wait(Duration::MAX) {
            return Ok(exit);
        }
    }
}

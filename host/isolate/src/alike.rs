//! What every process for plugins has, and programs that are run with no more than that.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use hookrail_model::error::Error;
use hookrail_model::isolation::WorkerLimits;
use hookrail_model::unit::Exit;
use hookrail_supervise::{Limit, Spec, Stdio};

use crate::provider::Workers;

/// The variables that every worker is given.
const VARIABLES: [&str; 7] = ["HOME", "LANG", "LC_ALL", "PATH", "RUST_BACKTRACE", "TMPDIR", "TZ"];
/// What a worker maps besides the memory of its plugins: its program, its libraries, its stacks.
const OWN_MEMORY: u64 = 1 << 30;

/// This program again, with what a worker has of the system and no more. `shared` is the size of what it shares with its
/// host, in bytes.
pub(crate) fn spec(limits: &WorkerLimits, shared: u64) -> io::Result<Spec> {
    // This very program, whatever has become of its file.
    let program = OwnedFd::from(File::open("/proc/self/exe")?);
    // Its host's stdout may carry data.
    let stderr = || io::Result::Ok(Stdio::Fd(io::stderr().as_fd().try_clone_to_owned()?));
    let mut spec = Spec::new(program).stdout(stderr()?).stderr(stderr()?);
    for variable in VARIABLES.into_iter().chain(limits.environment.iter().map(String::as_str)) {
        if let Some(value) = std::env::var_os(variable) {
            spec = spec.env(variable, value);
        }
    }
    if let Some(memory) = limits.max_memory {
        spec = spec.limit(Limit::AddressSpace, memory.saturating_add(shared).saturating_add(OWN_MEMORY));
    }
    if let Some(files) = limits.max_files {
        spec = spec.limit(Limit::Files, files);
    }
    Ok(spec)
}

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
    let mut spec = spec(limits, 0).map_err(failed)?.args(arguments);
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

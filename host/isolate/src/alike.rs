//! What every process for plugins is started with.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use hookrail_model::isolation::WorkerLimits;
use hookrail_supervise::{Spec, Stdio};

/// The variables that every worker is given.
const VARIABLES: [&str; 7] = ["HOME", "LANG", "LC_ALL", "PATH", "RUST_BACKTRACE", "TMPDIR", "TZ"];
/// This program again, with what a worker has of the system and no more.
pub(crate) fn spec(limits: &WorkerLimits) -> io::Result<Spec> {
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
    Ok(spec)
}

//! What every process for plugins is started with.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use hookrail_model::isolation::WorkerLimits;
use hookrail_supervise::Spec;

/// The variables that every worker is given.
const VARIABLES: [&str; 7] = ["HOME", "LANG", "LC_ALL", "PATH", "RUST_BACKTRACE", "TMPDIR", "TZ"];

/// Whether the file of this program is no longer what this process runs, as after an installation of another version.
pub(crate) fn is_replaced() -> bool {
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    program.as_os_str().as_bytes().ends_with(b" (deleted)") && !program.exists()
}

/// This program again, with what a worker has of the system and no more.
pub(crate) fn spec(limits: &WorkerLimits) -> io::Result<Spec> {
    // This very program, whatever has become of its file.
    let program = OwnedFd::from(File::open("/proc/self/exe")?);
    let mut spec = Spec::new(program);
    for variable in VARIABLES.into_iter().chain(limits.environment.iter().map(String::as_str)) {
        if let Some(value) = std::env::var_os(variable) {
            spec = spec.env(variable, value);
        }
    }
    Ok(spec)
}

//! The same program once more, as the process on the other side of shared memory.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};

const DESCRIPTOR: &str = "HOOKRAIL_BENCH_DESCRIPTOR";

/// Starts it with a descriptor and arguments.
pub(crate) fn start(file: &impl AsFd, args: &[&str]) -> Child {
    fcntl_setfd(file, FdFlags::empty()).expect("it is open");
    let program = std::env::current_exe().expect("the system knows it");
    let started = Command::new(program)
        .args(args)
        .env(DESCRIPTOR, file.as_fd().as_raw_fd().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    fcntl_setfd(file, FdFlags::CLOEXEC).expect("it is open");
    started.expect("it starts again")
}

/// In that process, the descriptor and the arguments.
pub(crate) fn asked() -> Option<(OwnedFd, Vec<String>)> {
    let descriptor = std::env::var(DESCRIPTOR).ok()?.parse().expect("our own number");
    // SAFETY: `start` left it open for this process, which asks once.
    Some((unsafe { OwnedFd::from_raw_fd(descriptor) }, std::env::args().skip(1).collect()))
}

//! Running the program with a terminal.

use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, Output, Stdio};
use std::ptr::null_mut;

/// A pseudo-terminal: its end for whoever types and reads, and that for a program.
pub fn pair() -> (File, OwnedFd) {
    let (mut ours, mut its) = (-1, -1);
    // SAFETY: both numbers are written, and the rest may be null.
    let opened = unsafe { libc::openpty(&mut ours, &mut its, null_mut(), null_mut(), null_mut()) };
    assert_eq!(opened, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: they were just opened, and nobody else has them.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(its)) }
}

/// Runs it on a pseudo-terminal on which somebody types this.
pub fn typed(command: &mut Command, answer: &str) -> Output {
    let (mut ours, its) = pair();
    let command = command.stdin(its).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    // What is typed waits in the terminal until it is read.
    ours.write_all(answer.as_bytes()).expect("the terminal takes it");
    child.wait_with_output().expect("it can be waited for")
}

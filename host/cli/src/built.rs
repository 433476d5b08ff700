//! Running a program that builds a plugin.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::interrupt::{Interrupt, Ready};

/// The result of a build.
pub(crate) enum Built {
    Library {
        file: PathBuf,
        time: Duration,
    },
    /// The program has reported why.
    Failed(Duration),
    Interrupted,
}

/// How the program has ended.
pub(crate) enum Ended {
    Well(Duration),
    Failed(Duration),
    Interrupted,
}

/// Runs it to its end, unless an interrupt comes first. `hear` is given what it writes to stdout; what it writes to
/// stderr goes to ours.
pub(crate) fn run(
    command: &mut Command,
    program: &'static str,
    interrupt: &Interrupt,
    hear: impl FnMut(&[u8]),
) -> Result<Ended, Error> {
    let began = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|cause| Error::NoBuilder { program, cause })?;
    let is_over =
        listen(&mut child, interrupt, hear).map_err(|cause| Error::system(format!("hear {program}"), cause))?;
    if !is_over {
        // If it was started from a terminal, it received the interrupt too and has ended.
        let _ = child.kill();
        let _ = child.wait();
        return Ok(Ended::Interrupted);
    }
    let status = child.wait().map_err(|cause| Error::system(format!("wait for {program}"), cause))?;
    Ok(match (status.success(), interrupt.has_come()) {
        (true, _) => Ended::Well(began.elapsed()),
        (false, false) => Ended::Failed(began.elapsed()),
        (false, true) => Ended::Interrupted,
    })
}

/// Hears all that it writes; returns false if an interrupt comes first.
fn listen(child: &mut Child, interrupt: &Interrupt, mut hear: impl FnMut(&[u8])) -> io::Result<bool> {
    let stdout = child.stdout.take().expect("it was asked for");
    let mut stdout = File::from(OwnedFd::from(stdout));
    let mut chunk = [0; 16 << 10];
    while interrupt.wait(&stdout)? != Ready::Interrupted {
        match stdout.read(&mut chunk)? {
            0 => return Ok(true),
            count => hear(&chunk[..count]),
        }
    }
    Ok(false)
}

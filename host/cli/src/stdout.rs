//! Stdout is the program's own: what the code of plugins prints goes to stderr, and never lands amid the data.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::dup2_stdout;

static OURS: OnceLock<File> = OnceLock::new();

/// Takes stdout away from everybody else: descriptor 1 is stderr from now on. Called before any plugin is loaded.
///
/// # Errors
/// If the system refuses.
pub(crate) fn take() -> io::Result<()> {
    let ours = cloned()?;
    OURS.get_or_init(|| ours);
    Ok(dup2_stdout(io::stderr())?)
}

/// Stdout. Unlike the standard library's, it writes what it is given at once.
///
/// # Panics
/// If it is not taken yet, and no further descriptor can be had.
pub(crate) fn ours() -> &'static File {
    OURS.get_or_init(|| cloned().expect("one more descriptor can be had"))
}

/// Whether whoever reads it has gone, as in `hookrail tap | head -1`: a pipe, a socket or a terminal without its other end.
pub(crate) fn has_no_reader() -> bool {
    let mut polled = [PollFd::new(ours(), PollFlags::empty())];
    let looked = poll(&mut polled, Some(&Timespec::default()));
    looked.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Writes everything, also where another program has set it to return at once when it is full.
///
/// # Errors
/// If the system refuses.
pub(crate) fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    let mut file = ours();
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match poll(&mut [PollFd::new(file, PollFlags::OUT)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// How many lines the terminal shows, if it is one that says so.
pub(crate) fn rows() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(ours()).ok()?;
    (size.ws_row > 0).then_some(size.ws_row.into())
}

fn cloned() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

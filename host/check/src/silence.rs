//! What is printed, captured.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr::null_mut;

use super::answer::Not;

/// Captures what is written to descriptors.
pub(super) struct Silence {
    kept: Vec<(RawFd, OwnedFd)>,
    said: File,
}

impl Silence {
    /// Begins the capture of stdout (1) or stderr (2), into a file in that directory.
    pub(super) fn begin(directory: &Path, descriptors: &[RawFd]) -> Result<Self, Not> {
        let failed = |error: std::io::Error| Not::Failed(format!("its output cannot be watched: {error}"));
        let path = directory.join("said");
        let said = File::options().create(true).truncate(true).read(true).write(true).open(path).map_err(failed)?;
        let keep = |&number: &RawFd| {
            // SAFETY: descriptors 1 and 2 are open.
            let stream = unsafe { BorrowedFd::borrow_raw(number) };
            let kept = stream.try_clone_to_owned().map_err(failed)?;
            // SAFETY: both are open.
            if unsafe { libc::dup2(said.as_raw_fd(), number) } < 0 {
                return Err(failed(std::io::Error::last_os_error()));
            }
            Ok((number, kept))
        };
        let kept = descriptors.iter().map(keep).collect::<Result<_, _>>()?;
        Ok(Silence { kept, said })
    }

    /// Ends the capture; returns what was printed.
    pub(super) fn end(mut self) -> Result<String, Not> {
        // What was printed may still be in a buffer of the C library.
        // SAFETY: null stands for all streams, and the library locks each of them.
        unsafe { libc::fflush(null_mut()) };
        for (number, kept) in &self.kept {
            // SAFETY: both are open.
            unsafe { libc::dup2(kept.as_raw_fd(), *number) };
        }
        let mut said = Vec::new();
        let read = self.said.rewind().and_then(|()| self.said.read_to_end(&mut said));
        read.map_err(|error| Not::Failed(format!("its output cannot be read: {error}")))?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

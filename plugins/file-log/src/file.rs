//! The file: whole lines only, and never too large.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hookrail_abi::prelude::*;

/// A file that lines are appended to and that is renamed when it is full.
///
/// Each line is written through with one `write(2)`, so a line that was accepted outlives this
/// process. Around it stands a lock on the file (`flock`), under which `path` is looked up: other
/// instances, the generation that takes over in an upgrade, and other processes may log to the same
/// file, and whoever renames it takes nobody's lines along.
pub(crate) struct LogFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u32,
    /// The open file, unlocked. An error closes it, and with it gives back the lock.
    file: Option<File>,
    /// At this size the file is renamed: `max_bytes`, or more after that failed.
    rotate_at: u64,
}

/// What an operator should know although the line was written.
pub(crate) type Warning = String;

impl LogFile {
    /// Opens the file, or says why that cannot be done.
    pub(crate) fn open(path: PathBuf, max_bytes: u64, keep: u32) -> Result<Self> {
        let rotate_at = if max_bytes == 0 { u64::MAX } else { max_bytes };
        let mut log = LogFile { path, max_bytes, keep, file: None, rotate_at };
        let (file, _) = log.lock().map_err(|error| log.refusal("open", &error))?;
        log.unlock(file).map_err(|error| log.refusal("open", &error))?;
        Ok(log)
    }

    /// Appends a line, all or nothing.
    pub(crate) fn append(&mut self, line: &[u8]) -> Result<Option<Warning>> {
        let (mut file, mut size) = self.lock().map_err(|error| self.refusal("open", &error))?;
        let mut warning = None;
        if size > 0 && size.saturating_add(line.len() as u64) > self.rotate_at {
            warning = self.rotate(size);
            drop(file);
            (file, size) = self.lock().map_err(|error| self.refusal("open", &error))?;
        }
        let ended = end_half_line(&file, size).and_then(|ended| write_whole(&file, size + u64::from(ended), line).map(|()| ended));
        todo!()
    }
}

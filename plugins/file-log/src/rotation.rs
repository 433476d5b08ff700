//! The file of the callback: a new one when it is full.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use hookrail_abi::prelude::*;

use crate::file::LogFile;

/// What may read a new file: messages may be confidential.
const MODE: u32 = 0o640;

/// A file that is renamed when it is full. Others that log to the same path may rename it, too: it happens under the lock
/// of the file.
pub(crate) struct RotatingLog {
    file: LogFile,
    max_bytes: u64,
    keep: u32,
    /// The size from which the file is renamed: `max_bytes`, or more after a rename has failed.
    rotate_at: u64,
}

impl RotatingLog {
    /// Opens the file, or returns why that fails.
    pub(crate) fn open(path: PathBuf, max_bytes: u64, keep: u32) -> Result<Self> {
        let way_out = "free some space there, or lower `max_bytes` and `keep`; logging then goes on by itself";
        let mut file = LogFile::new(path, MODE, way_out);
        // A link stays a link: what is renamed is the file behind it, beside which the renamed ones lie.
        file.open_behind_links()?;
        Ok(RotatingLog { file, max_bytes, keep, rotate_at: no_zero(max_bytes) })
    }

    /// Appends a line, all or nothing. If the file cannot be renamed, the line is written nevertheless, and a warning
    /// is returned.
    pub(crate) fn append(&mut self, line: &[u8]) -> Result<Option<String>> {
        let mut locked = self.file.lock()?;
        let mut warning = None;
        let size = locked.size();
        if size > 0 && size.saturating_add(line.len() as u64) > self.rotate_at {
            match self.rotate() {
                Ok(()) => {
                    self.rotate_at = no_zero(self.max_bytes);
                    locked = self.file.lock()?;
                }
                Err(error) => {
                    // Not tried again at the next line, but when the file has grown by as much again.
                    self.rotate_at = size.saturating_add(self.max_bytes);
                    warning = Some(self.file.complaint("rename", &error));
                }
            }
        }
        self.file.write(locked, line)?;
        Ok(warning)
    }

    /// Waits until everything is on disk.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_all()
    }

    /// Makes room for a new file, while the old one is locked.
    fn rotate(&self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(self.file.path(), self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut path = self.file.path().as_os_str().to_owned();
        path.push(format!(".{number}"));
        path.into()
    }
}

fn no_zero(max_bytes: u64) -> u64 {
    if max_bytes == 0 { u64::MAX } else { max_bytes }
}

#[cfg(test)]
mod tests;

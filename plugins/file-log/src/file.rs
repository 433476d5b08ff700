//! The file: whole lines only, and a new file when it is full.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use hookrail_abi::prelude::*;

/// A file that lines are appended to and that is renamed when it is full.
///
/// A line is written with one `write(2)`: once accepted, it outlives this process. The write is protected by a lock on
/// the file (`flock`), under which `path` is looked up again. So others may log to the same path, such as the next
/// generation of this plugin in an upgrade, another instance or another process, and the file may be renamed at any
/// time: the next line starts a new one.
pub(crate) struct LogFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u32,
    /// The file, unlocked. A caller that takes it out and fails drops it, and the lock with it.
    open: Option<Open>,
    /// The size from which the file is renamed: `max_bytes`, or more after a rename has failed.
    rotate_at: u64,
}

struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
}

impl LogFile {
    /// Opens the file, or returns why that fails.
    pub(crate) fn open(path: PathBuf, max_bytes: u64, keep: u32) -> Result<Self> {
        let mut log = LogFile { path, max_bytes, keep, open: None, rotate_at: no_zero(max_bytes) };
        let (open, _) = log.lock()?;
        // A link stays a link: what is renamed is the file behind it, beside which the renamed ones lie.
        log.path = fs::canonicalize(&log.path).map_err(|error| log.complaint("open", &error))?;
        log.unlock(open)?;
        Ok(log)
    }

    /// Appends a line, all or nothing. If the file cannot be renamed, the line is written nevertheless, and a warning
    /// is returned.
    pub(crate) fn append(&mut self, line: &[u8]) -> Result<Option<String>> {
        let (mut open, mut size) = self.lock()?;
        let mut warning = None;
        if size > 0 && size.saturating_add(line.len() as u64) > self.rotate_at {
            match self.rotate() {
                Ok(()) => {
                    self.rotate_at = no_zero(self.max_bytes);
                    (open, size) = self.lock()?;
                }
                Err(error) => {
                    // Not tried again at the next line, but when the file has grown by as much again.
                    self.rotate_at = size.saturating_add(self.max_bytes);
                    warning = Some(self.complaint("rename", &error));
                }
            }
        }
        write_whole(&open.file, size, line).map_err(|error| self.complaint("append to", &error))?;
        self.unlock(open)?;
        Ok(warning)
    }

    /// Waits until everything is on disk.
    pub(crate) fn sync(&self) -> Result<()> {
        match &self.open {
            Some(open) => open.file.sync_all().map_err(|error| self.complaint("sync", &error).into()),
            None => Ok(()),
        }
    }

    /// The file that `path` names now, locked, and its size.
    fn lock(&mut self) -> Result<(Open, u64)> {
        self.try_lock().map_err(|error| self.complaint("open", &error).into())
    }

    fn try_lock(&mut self) -> io::Result<(Open, u64)> {
        loop {
            let (open, fresh) = match self.open.take() {
                Some(open) => (open, false),
                None => (Open::new(&self.path)?, true),
            };
            uninterrupted(|| open.file.lock())?;
            match fs::metadata(&self.path) {
                Ok(there) if identity(&there) != open.identity => {}
                Ok(there) if fresh => return end_half_line(&open.file, there.len()).map(|size| (open, size)),
                Ok(there) => return Ok((open, there.len())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            // The file was renamed or removed before we had the lock: try again.
        }
    }

    fn unlock(&mut self, open: Open) -> Result<()> {
        open.file.unlock().map_err(|error| self.complaint("unlock", &error))?;
        self.open = Some(open);
        Ok(())
    }

    /// Makes room for a new file, while the old one is locked.
    fn rotate(&self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }

    /// What went wrong, with which file, and how to fix it.
    fn complaint(&self, doing: &str, error: &io::Error) -> String {
        let way_out = match error.kind() {
            ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded | ErrorKind::StorageFull => {
                "what is logged is whole; free some space there, or lower `max_bytes` and `keep`; logging then goes on by itself"
            }
            ErrorKind::InvalidInput | ErrorKind::IsADirectory => "let `path` name a file",
            ErrorKind::NotADirectory | ErrorKind::NotFound => "create its directory, or correct `path`",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "let the user of this process read and write there, or choose another `path`"
            }
            _ => "logging goes on by itself when the cause is gone",
        };
        format!("cannot {doing} {}: {error}; {way_out}", self.path.display())
    }
}

impl Open {
    fn new(path: &PathBuf) -> io::Result<Self> {
        // Messages may be confidential. Reading is needed by `end_half_line`.
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)?;
        let metadata = file.metadata()?;
        // A pipe or a socket would lose what nobody reads.
        if !metadata.is_file() && !metadata.file_type().is_char_device() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is neither a file nor a device"));
        }
        Ok(Open { file, identity: identity(&metadata) })
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Terminates the part of a line that a crash, or a disk too full to undo the write, has left; returns the size.
fn end_half_line(file: &File, size: u64) -> io::Result<u64> {
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1)?;
    }
    if last == [b'\n'] {
        return Ok(size);
    }
    write_whole(file, size, b"\n").map(|()| size + 1)
}

/// Writes a line after `size` bytes, or leaves the file as it was.
fn write_whole(mut file: &File, size: u64, line: &[u8]) -> io::Result<()> {
    let mut rest = line;
    while !rest.is_empty() {
        match uninterrupted(|| file.write(rest)).and_then(some_bytes) {
            Ok(written) => rest = &rest[written..],
            Err(error) => {
                if rest.len() < line.len() {
                    // If this fails too, `end_half_line` repairs the file later: an error closes it.
                    let _ = file.set_len(size);
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

fn some_bytes(written: usize) -> io::Result<usize> {
    if written == 0 { Err(ErrorKind::WriteZero.into()) } else { Ok(written) }
}

fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn no_zero(max_bytes: u64) -> u64 {
    if max_bytes == 0 { u64::MAX } else { max_bytes }
}

#[cfg(test)]
mod tests;

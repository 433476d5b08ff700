//! A file that is appended to: whole lines only.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hookrail_abi::prelude::*;

/// A file that lines are appended to.
///
/// What is appended at once is written with one `write(2)`: once accepted, it outlives this process. The write is
/// protected by a lock on the file (`flock`), under which `path` is looked up again. So others may log to the same path,
/// such as the next generation of this plugin in an upgrade, another instance or another process, and the file may be
/// renamed at any time: what is appended next starts a new one.
pub(crate) struct LogFile {
    path: PathBuf,
    /// The mode of a new file.
    mode: u32,
    /// What an operator does about a full disk.
    when_full: &'static str,
    /// The file, unlocked. A caller that takes it out and fails drops it, and the lock with it.
    open: Option<Open>,
}

/// The file that the path names, locked until this is dropped or written to.
pub(crate) struct Locked {
    open: Open,
    size: u64,
}

/// Where something was written to.
#[derive(Debug)]
pub(crate) struct Place {
    start: u64,
    end: u64,
}

struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    /// Whether its name was synced, too.
    is_named: bool,
}

impl LogFile {
    /// The file is opened when it is used.
    pub(crate) const fn new(path: PathBuf, mode: u32, when_full: &'static str) -> Self {
        LogFile { path, mode, when_full, open: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file, and means the file behind a link from now on.
    pub(crate) fn open_behind_links(&mut self) -> Result<()> {
        let locked = self.lock()?;
        self.path = fs::canonicalize(&self.path).map_err(|error| self.complaint("open", &error))?;
        self.unlock(locked.open)
    }

    /// Says why the file could not be opened, if that is so for sure. Makes nothing.
    pub(crate) fn check(&self) -> Result<()> {
        let checked = match fs::metadata(&self.path) {
            Ok(metadata) => loses_nothing(&metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => match self.path.parent() {
                Some(parent) => fs::metadata(parent).map(drop),
                None => Err(error),
            },
            Err(error) => Err(error),
        };
        checked.map_err(|error| self.complaint("open", &error).into())
    }

    /// Appends, all or nothing; returns where to.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<Place> {
        let locked = self.lock()?;
        self.write(locked, bytes)
    }

    /// The file that `path` names now, locked.
    pub(crate) fn lock(&mut self) -> Result<Locked> {
        self.try_lock().map_err(|error| self.complaint("open", &error).into())
    }

    /// Appends to the file, all or nothing, and unlocks it.
    pub(crate) fn write(&mut self, locked: Locked, bytes: &[u8]) -> Result<Place> {
        let Locked { open, size } = locked;
        write_whole(&open.file, size, bytes).map_err(|error| self.complaint("append to", &error))?;
        self.unlock(open)?;
        Ok(Place { start: size, end: size + bytes.len() as u64 })
    }

    /// Takes back what was written last, all but the first `kept` bytes, unless somebody else has written behind it. It
    /// is for what is written again: if this fails, it stands there twice, and nothing is lost.
    pub(crate) fn take_back(&mut self, place: &Place, kept: u64) {
        let Some(open) = &self.open else { return };
        let taken = uninterrupted(|| open.file.lock()).and_then(|()| {
            let is_last = open.file.metadata()?.len() == place.end;
            if is_last { open.file.set_len(place.start + kept) } else { Ok(()) }
        });
        // Closed, the file is unlocked whatever happens.
        if taken.and_then(|()| open.file.unlock()).is_err() {
            self.open = None;
        }
    }

    /// Waits until everything is on disk.
    pub(crate) fn sync_all(&self) -> Result<()> {
        match &self.open {
            Some(open) => open.file.sync_all().map_err(|error| self.complaint("sync", &error).into()),
            None => Ok(()),
        }
    }

    /// Waits until what was appended can be read again after a power failure.
    pub(crate) fn sync_data(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        // It stays open after an error, so that what was appended can be taken back.
        open.sync_data(&self.path).map_err(|error| self.complaint("sync", &error).into())
    }

    fn try_lock(&mut self) -> io::Result<Locked> {
        loop {
            let (open, fresh) = match self.open.take() {
                Some(open) => (open, false),
                None => (Open::new(&self.path, self.mode)?, true),
            };
            uninterrupted(|| open.file.lock())?;
            match fs::metadata(&self.path) {
                Ok(there) if identity(&there) != open.identity => {}
                Ok(there) if fresh => {
                    let size = end_half_line(&open.file, there.len())?;
                    return Ok(Locked { open, size });
                }
                Ok(there) => return Ok(Locked { open, size: there.len() }),
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

    /// What went wrong, with which file, and how to fix it.
    pub(crate) fn complaint(&self, doing: &str, error: &io::Error) -> String {
        let way_out = match error.kind() {
            ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded | ErrorKind::StorageFull => {
                &format!("what is logged is whole; {}", self.when_full)
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

impl Locked {
    /// The size of the file.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

impl Open {
    fn new(path: &Path, mode: u32) -> io::Result<Self> {
        // Reading is needed by `end_half_line`.
        let file = OpenOptions::new().read(true).append(true).create(true).mode(mode).open(path)?;
        let metadata = file.metadata()?;
        loses_nothing(&metadata)?;
        Ok(Open { file, identity: identity(&metadata), is_named: false })
    }

    fn sync_data(&mut self, path: &Path) -> io::Result<()> {
        match uninterrupted(|| self.file.sync_data()) {
            // It is a device, which has nothing to sync.
            Err(error) if error.kind() == ErrorKind::InvalidInput && !self.file.metadata()?.is_file() => return Ok(()),
            synced => synced?,
        }
        // Without its name nobody finds a file that was made just now.
        if !self.is_named {
            if let Some(directory) = fs::canonicalize(path)?.parent() {
                uninterrupted(|| File::open(directory)?.sync_all())?;
            }
            self.is_named = true;
        }
        Ok(())
    }
}

/// A pipe or a socket would lose what nobody reads.
fn loses_nothing(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() || metadata.file_type().is_char_device() {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is neither a file nor a device"))
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

#[cfg(test)]
mod tests;

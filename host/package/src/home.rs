//! The directory in which a host keeps its files.

use crate::regular::{self, MAX_FILE};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::error::{Error, PackageError};
use super::holder::holder;

/// The directory in which a host keeps its files: `$HOOKRAIL_HOME`, else `~/.hookrail`.
///
/// # Invariants
/// Only this user and root can write to it: everything that is trusted depends on that.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

/// The prefix of the names of unfinished files, in a home and its directories.
pub const UNFINISHED: &str = ".new-";

/// The right to change the files in a home, until it is dropped. One process has it at a time.
#[derive(Debug)]
pub struct Locked<'a> {
    home: &'a Home,
    /// Holds the lock.
    file: File,
}

impl Home {
    /// Opens a home; creates the directory if needed.
    ///
    /// # Errors
    /// If other users may write to it, or it cannot be created.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |source| Error::system(format!("make the directory {}", path.display()), source);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let home = Home(path.canonicalize().map_err(failed)?);
        home.check(&home.0)?;
        // INVARIANT: just checked, and only its owner can change that.
        Ok(home)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes the lock, without waiting: the caller should know that another process is changing the home.
    ///
    /// # Errors
    /// If another process holds the lock.
    pub fn lock(&self) -> Result<Locked<'_>, Error> {
        let path = self.0.join("lock");
        let failed = |source| Error::system(format!("lock {}", path.display()), source);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Locked { home: self, file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(self.refused(PackageError::HomeInUse { by: holder(&file) })),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// The content of a file in the home, if it exists.
    ///
    /// # Errors
    /// If other users may write to it, or it cannot be read.
    #[doc(hidden)]
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.0.join(name);
        match regular::read(&path, MAX_FILE) {
            Ok(bytes) => self.check(&path).map(|()| Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::system(format!("read {}", path.display()), source)),
        }
    }

    /// Checks that no other user may write to a path.
    ///
    /// # Errors
    /// If other users may.
    #[doc(hidden)]
    pub fn check(&self, path: &Path) -> Result<(), Error> {
        let metadata = fs::metadata(path);
        let metadata = metadata.map_err(|source| Error::system(format!("look at {}", path.display()), source))?;
        // SAFETY: the call takes nothing and touches no memory.
        let user = unsafe { libc::geteuid() };
        let why = match (metadata.uid(), metadata.mode() & 0o022) {
            (owner, 0) if owner == user || owner == 0 => return Ok(()),
            (_, 0) => "belongs to another user",
            _ => "can be written by others",
        };
        Err(self.refused(PackageError::HomeOpen(format!("{} {why}", path.display()))))
    }

    fn refused(&self, why: PackageError) -> Error {
        Error::rejected(self.0.display().to_string(), why)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Not left to closing the file: a child that another thread has just forked has it open too, until it calls
        // `exec`.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl Locked<'_> {
    /// Replaces a file as a whole: readers find either the old one or the new one, even after a crash.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.home.0.join(name);
        let failed = |source| Error::system(format!("write {}", path.display()), source);
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.home.0).map_err(failed)?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        // The name must survive a crash too.
        let directory = path.parent().expect("it lies in the home");
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

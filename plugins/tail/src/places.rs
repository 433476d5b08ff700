//! Files on disk: opened without waiting, found again by their inode.

use std::collections::HashMap;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirEntryExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::identity::Identity;

/// What changes when a file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Stamp { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

/// Opens the file of that identity, if it is the one of that path.
pub(crate) fn open(path: &Path, identity: Identity) -> io::Result<File> {
    // Since the path was looked at, it may have become a FIFO, on which opening would wait for a writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && Identity::of(&metadata) == identity {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "it is another file by now"))
    }
}

/// The files of some directories by their inodes; each directory is listed once.
#[derive(Debug, Default)]
pub(crate) struct Directories(HashMap<PathBuf, HashMap<u64, PathBuf>>);

impl Directories {
    /// The file with that inode in the directory of `path`: what the file of that path was renamed to.
    pub(crate) fn renamed(&mut self, path: &Path, inode: u64) -> Option<PathBuf> {
        let directory = path.parent()?;
        if !self.0.contains_key(directory) {
            self.0.insert(directory.into(), list(directory));
        }
        self.0[directory].get(&inode).cloned()
    }
}

fn list(directory: &Path) -> HashMap<u64, PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.map(|entry| (entry.ino(), entry.path())).collect()
}

/// What it is, if not a file.
pub(crate) fn kind(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Whether the file was last written to longer ago than that.
pub(crate) fn is_older(metadata: &Metadata, time: Duration) -> bool {
    let age = metadata.modified().ok().and_then(|written| SystemTime::now().duration_since(written).ok());
    age.is_some_and(|age| age > time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn identity(path: &Path) -> Identity {
        Identity::of(&fs::metadata(path).unwrap())
    }

    #[test]
    fn a_renamed_file_is_found_by_its_inode() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new, link] = ["old", "new", "link"].map(|name| directory.path().join(name));
        fs::write(&old, "").unwrap();
        let identity = identity(&old);
        symlink(&old, &link).unwrap();
        fs::rename(&old, &new).unwrap();
        let renamed = |path: &Path| Directories::default().renamed(path, identity.inode);
        assert_eq!(renamed(&old), Some(new.clone()));
        fs::remove_file(&new).unwrap();
        assert_eq!(renamed(&old), None);
        assert_eq!(renamed(Path::new("/no/such/directory/a")), None);
    }

    #[test]
    fn another_file_of_the_same_path_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let [path, other] = ["path", "other"].map(|name| directory.path().join(name));
        fs::write(&path, "").unwrap();
        let before = identity(&path);
        assert!(open(&path, before).is_ok());
        fs::write(&other, "").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(open(&path, before).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(open(&path, identity(&path)).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(kind(fs::metadata(&path).unwrap().file_type()), "a FIFO");
    }
}

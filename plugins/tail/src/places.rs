//! Files on disk: opened without waiting, found again by their inode.

use std::collections::HashMap;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
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
        Err(io::Error::new(ErrorKind::NotFound, "it is another file by now"))
    }
}

/// Where a file is that is not where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// Renamed to that, in the same directory.
    At(PathBuf),
    /// Its directory is not there, or something else has its place that is not mounted at present.
    Away,
    /// Not in its directory.
    Gone,
    /// Its directory cannot be read.
    Unknown,
}

/// The files of some directories by their inodes; each directory is listed once.
#[derive(Debug, Default)]
pub(crate) struct Directories(HashMap<PathBuf, io::Result<Listing>>);

#[derive(Debug)]
struct Listing {
    device: u64,
    files: HashMap<u64, PathBuf>,
}

impl Directories {
    /// Where the file of that identity is, which was at `path`.
    pub(crate) fn find(&mut self, path: &Path, identity: Identity) -> Whereabouts {
        // What a link leads to is renamed where that is.
        let real = fs::canonicalize(path).ok();
        let Some(directory) = real.as_deref().unwrap_or(path).parent() else { return Whereabouts::Unknown };
        if !self.0.contains_key(directory) {
            self.0.insert(directory.into(), list(directory));
        }
        match &self.0[directory] {
            Ok(listing) if listing.device != identity.device => Whereabouts::Away,
            Ok(listing) => listing.files.get(&identity.inode).cloned().map_or(Whereabouts::Gone, Whereabouts::At),
            Err(error) if error.kind() == ErrorKind::NotFound => Whereabouts::Away,
            Err(_) => Whereabouts::Unknown,
        }
    }
}

fn list(directory: &Path) -> io::Result<Listing> {
    let device = fs::metadata(directory)?.dev();
    let mut files = HashMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.insert(entry.ino(), entry.path());
        }
    }
    Ok(Listing { device, files })
}

/// Whether it is for want of a descriptor.
pub(crate) fn has_none_left(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
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
        let [old, new, link, other] = ["old", "new", "links/link", "links"].map(|name| directory.path().join(name));
        fs::create_dir(&other).unwrap();
        fs::write(&old, "").unwrap();
        symlink(&old, &link).unwrap();
        let identity = identity(&old);
        let find = |path: &Path| Directories::default().find(path, identity);
        assert_eq!(find(&old), Whereabouts::At(old.clone()));
        fs::rename(&old, &new).unwrap();
        assert_eq!(find(&old), Whereabouts::At(new.clone()));
        assert_eq!(find(&link), Whereabouts::Gone, "a broken link leads nowhere");
        fs::write(&old, "").unwrap();
        assert_eq!(find(&link), Whereabouts::At(new.clone()));
        let elsewhere = Identity { device: identity.device + 1, ..identity };
        assert_eq!(Directories::default().find(&old, elsewhere), Whereabouts::Away);
        fs::remove_file(&new).unwrap();
        assert_eq!(find(&old), Whereabouts::Gone);
        assert_eq!(find(Path::new("/no/such/directory/a")), Whereabouts::Away);
        assert_eq!(find(&old.join("a")), Whereabouts::Unknown);
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
        assert_eq!(open(&path, before).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(open(&path, identity(&path)).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(kind(fs::metadata(&path).unwrap().file_type()), "a FIFO");
    }
}

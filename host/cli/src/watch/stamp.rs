//! What distinguishes a file from the one that was there before.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The identity of the file at a path, and when it was last written. Equal stamps mean equal content, unless the clock
/// was set back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(Option<Facts>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Facts {
    /// Device and inode: another file with the same name has others.
    file: (u64, u64),
    size: u64,
    /// Contents may be changed and the modification time restored (`cp -p`); the change time reveals that.
    times: [(i64, i64); 2],
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Self {
        Stamp(fs::metadata(path).ok().as_ref().map(Facts::of))
    }

    /// The stamp of a missing file.
    pub(crate) const ABSENT: Stamp = Stamp(None);

    /// Whether it was written after that time.
    pub(crate) fn is_later_than(&self, time: SystemTime) -> bool {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = (since.as_secs() as i64, i64::from(since.subsec_nanos()));
        self.0.as_ref().is_some_and(|facts| facts.times[0] > time)
    }

    /// Whether the file existed.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is the same file or directory, changed or not.
    pub(super) fn is_same_file(&self, other: &Stamp) -> bool {
        let file = |stamp: &Stamp| stamp.0.as_ref().map(|facts| facts.file);
        file(self) == file(other)
    }
}

impl Facts {
    fn of(metadata: &Metadata) -> Self {
        Facts {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            times: [(metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec())],
        }
    }
}

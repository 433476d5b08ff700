//! Which file it is, whatever it is called.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;

/// The device and the inode of a file: the same under all of its names, and free for another file once it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// As the key of a mark: `device:inode`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.device, self.inode)
    }
}

impl FromStr for Identity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (device, inode) = text.split_once(':').ok_or(())?;
        Ok(Identity { device: device.parse().map_err(drop)?, inode: inode.parse().map_err(drop)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_is_written() {
        let identity = Identity { device: 66306, inode: u64::MAX };
        assert_eq!(identity.to_string().parse(), Ok(identity));
        for text in ["", "1", "1:", ":1", "1:2:3", "glob:1", "-1:2"] {
            assert_eq!(text.parse::<Identity>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_file_keeps_its_identity_when_it_is_renamed() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
        std::fs::write(&old, "").unwrap();
        let before = Identity::of(&old.metadata().unwrap());
        std::fs::rename(&old, &new).unwrap();
        assert_eq!(Identity::of(&new.metadata().unwrap()), before);
        std::fs::write(&old, "").unwrap();
        assert_ne!(Identity::of(&old.metadata().unwrap()), before);
    }
}

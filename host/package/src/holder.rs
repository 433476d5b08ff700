//! Which process holds a lock.

use std::fs::{File, read_to_string};
use std::os::unix::fs::MetadataExt;

/// The PID of the process that has locked the file by `flock`, if the system reports it: not for a process in another
/// container, nor for one that has ended since.
pub(super) fn holder(file: &File) -> Option<u32> {
    let metadata = file.metadata().ok()?;
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    let wanted = format!("{major:02x}:{minor:02x}:{}", metadata.ino());
    let locks = read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        // number: FLOCK ADVISORY WRITE process device:inode 0 EOF
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_flock = fields.next() == Some("FLOCK");
        let process = fields.nth(2)?.parse().ok().filter(|process| *process != 0)?;
        (is_flock && fields.next() == Some(&wanted)).then_some(process)
    })
}

#[cfg(test)]
mod tests {
    use rustix::fs::{FlockOperation, flock};

    use super::*;

    #[test]
    fn a_lock_is_held_by_who_took_it() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(holder(&file), None);
        flock(&file, FlockOperation::LockExclusive).unwrap();
        // The system tells its locks in parts, and may leave one out while others come and go in between.
        let is_ours = |_| holder(&file) == Some(std::process::id());
        assert!((0..1000).any(is_ours));
        flock(&file, FlockOperation::Unlock).unwrap();
        assert_eq!(holder(&file), None);
    }
}

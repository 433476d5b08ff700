//! The name of a unit, which no other unit can have.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::Error;

/// The name of a unit, held.
///
/// While it is, nobody else can take it in the same directory: not in this process, not in another, and after a restart
/// of the host not before the last process has ended that the unit had. It is a lock of the system, so it ends with
/// whoever holds it, however that ends.
///
/// # Invariants
/// `file` is the file of that name in the directory, or was, and is locked. Those who hold the lock have a copy of this
/// one open file: this value, and guardians by way of [`Spec::hold`](crate::Spec::hold). No child has: it is closed on
/// exec. A program that forks without executing anything holds it too.
#[derive(Debug)]
pub struct Lock {
    name: String,
    file: File,
}

/// How often a name is tried that is held.
const PAUSE: Duration = Duration::from_millis(5);

impl Lock {
    /// Takes a name, by locking the file `NAME.lock` of a directory, which is made if it is not there, and stays. Only
    /// those who may take names are to be able to write to the directory.
    ///
    /// # Errors
    /// If somebody else holds it, the text cannot be a name, or the file cannot be locked.
    pub fn take(directory: &Path, name: &str) -> Result<Self, Error> {
        check(name)?;
        let path = directory.join(format!("{name}.lock"));
        let failed = |cause| Error::system(format!("lock {}", path.display()), cause);
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
            let mut file = options.open(&path).map_err(failed)?;
            let locked = file.metadata().map_err(failed)?;
            if !locked.is_file() {
                return Err(failed(io::Error::other("it is not a regular file")));
            }
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(Error::held(name, holder(&mut file))),
                Err(error) => return Err(failed(error.into())),
            }
            // Somebody may have removed the file between the two calls, and the next one has locked another.
            let is_there =
                path.symlink_metadata().is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino()));
            if is_there {
                let pid = format!("{}\n", std::process::id());
                file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())).map_err(failed)?;
                // INVARIANT: it is locked, and the one in the directory.
                return Ok(Lock { name: name.into(), file });
            }
        }
    }

    /// Takes a name, and waits that long for it: a host that was killed may have left a guardian, which holds the name
    /// until the last process is gone.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_within(directory: &Path, name: &str, limit: Duration) -> Result<Self, Error> {
        let began = Instant::now();
        loop {
            match Self::take(directory, name) {
                Err(Error::Held { .. }) if began.elapsed() < limit => thread::sleep(PAUSE),
                done => return done,
            }
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another descriptor of the lock: the name is held until that is closed as well.
    ///
    /// # Errors
    /// If this process can have no more descriptors.
    pub fn share(&self) -> Result<OwnedFd, Error> {
        let shared =
            self.file.try_clone().map_err(|cause| Error::system(format!("share the lock of `{}`", self.name), cause));
        Ok(shared?.into())
    }
}

/// Refuses what is no name of a unit.
fn check(name: &str) -> Result<(), Error> {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.:".contains(&letter);
    let begins = name.bytes().next().is_some_and(|letter| letter.is_ascii_alphanumeric());
    match begins && name.len() <= 100 && name.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(Error::InvalidName(name.into())),
    }
}

/// Who holds the lock, as it says itself.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = [0; 16];
    let length = file.read(&mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_name_is_held_once() {
        let directory = tempfile::tempdir().unwrap();
        let lock = Lock::take(directory.path(), "mask:logs").unwrap();
        assert_eq!(lock.name(), "mask:logs");
        let error = Lock::take(directory.path(), "mask:logs").unwrap_err();
        let own = std::process::id();
        assert!(matches!(error, Error::Held { by: Some(by), .. } if by == own), "{error}");
        assert_eq!(error.to_string(), format!("a unit named `mask:logs` is there already, held by process {own}"));
        let mode = directory.path().join("mask:logs.lock").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        Lock::take(directory.path(), "mask").unwrap();
        // Whoever shares it holds it too.
        let shared = lock.share().unwrap();
        drop(lock);
        assert!(Lock::take(directory.path(), "mask:logs").is_err());
        drop(shared);
        Lock::take(directory.path(), "mask:logs").unwrap();
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let long = "a".repeat(101);
        for name in ["", ".", "..", "a/b", "../a", "-a", ".a", "a b", "a\n", "ä", &long] {
            let error = Lock::take(directory.path(), name).unwrap_err();
            assert!(matches!(&error, Error::InvalidName(found) if found == name), "{error}");
        }
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
        Lock::take(directory.path(), &long[1..]).unwrap();
    }

    #[test]
    fn a_lock_is_taken_on_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        symlink("/dev/null", directory.path().join("a.lock")).unwrap();
        std::fs::create_dir(directory.path().join("b.lock")).unwrap();
        for name in ["a", "b"] {
            assert!(matches!(Lock::take(directory.path(), name), Err(Error::Host(_))));
        }
    }

    #[test]
    fn a_name_that_becomes_free_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let lock = Lock::take(directory.path(), "a").unwrap();
        let error = Lock::take_within(directory.path(), "a", Duration::from_millis(20)).unwrap_err();
        assert!(matches!(error, Error::Held { .. }));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::take_within(directory.path(), "a", Duration::from_secs(180)));
            thread::sleep(Duration::from_millis(20));
            drop(lock);
            waiting.join().unwrap().unwrap();
        });
    }

    /// Whoever holds a name may remove its file: others may just have opened that, and are not to hold it.
    #[test]
    fn a_file_that_was_removed_locks_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let holders = AtomicU32::new(0);
        let taken = AtomicU32::new(0);
        let hold = || {
            for _ in 0..3000 {
                let Ok(lock) = Lock::take(directory.path(), "a") else { continue };
                assert_eq!(holders.fetch_add(1, Ordering::AcqRel), 0, "one at a time");
                taken.fetch_add(1, Ordering::Relaxed);
                holders.fetch_sub(1, Ordering::AcqRel);
                std::fs::remove_file(directory.path().join("a.lock")).unwrap();
                drop(lock);
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(hold)));
        assert!(taken.into_inner() > 100);
    }
}

//! Directories that end with the instance that uses them, of `dirs/1`.
//!
//! Each is `instances/NAME/ephemeral/N` in the home. The process in which the instance runs keeps `N.lock`, beside it,
//! locked for as long; the system ends that lock with the process, however it ends. So a directory whose lock can be
//! taken belongs to nobody, and is removed: when a host starts, when a worker has ended, and before the next instance
//! of that name gets its own. Hosts that share a home leave each other's alone.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hookrail_model::log;
use parking_lot::Mutex;

/// The name of the directory that holds them, in that of an instance.
const NAME: &str = "ephemeral";
const LOCK: &str = "lock";

/// The ephemeral directory of an instance, which is made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Ephemeral(Mutex<Option<Option<Held>>>);

impl Ephemeral {
    /// It may be asked for from now on: the instance is about to be created.
    pub(crate) fn begin(&self) {
        self.0.lock().get_or_insert_default();
    }

    /// The directory of the instance whose own directory that is.
    ///
    /// # Errors
    /// If the instance has ended, or the directory cannot be made.
    pub(crate) fn path(&self, home: &Path) -> io::Result<PathBuf> {
        let mut state = self.0.lock();
        let held = state.as_mut().ok_or_else(|| io::Error::other("the instance has ended"))?;
        match held {
            Some(held) => fs::create_dir_all(&held.path)?,
            None => *held = Some(Held::new(&home.join(NAME))?),
        }
        Ok(held.as_ref().expect("it was just made").path.clone())
    }

    /// The instance has ended, and its directory with it.
    pub(crate) fn end(&self) {
        if let Some(held) = self.0.lock().take().flatten() {
            held.remove();
        }
    }
}

/// Removes the ephemeral directories whose holders are gone, in the directory of one instance.
pub fn sweep_instance(home: &Path) {
    let all = home.join(NAME);
    // A link would lead to files that are no business of ours.
    if !fs::symlink_metadata(&all).is_ok_and(|found| found.is_dir()) {
        return;
    }
    for lock in entries(&all).filter(|path| path.extension().is_some_and(|extension| extension == LOCK)) {
        if let Ok(Some(file)) = File::open(&lock).and_then(|file| locked(file, &lock)) {
            Held { path: lock.with_extension(""), lock, _file: file }.remove();
        }
    }
}

/// As `sweep_instance`, in the directories of all instances of a home.
pub(crate) fn sweep(home: &Path) {
    entries(&home.join("instances")).for_each(|instance| sweep_instance(&instance));
}

/// What is in a directory; nothing if there is none.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// An ephemeral directory.
///
/// # Invariants
/// The file is the one at `lock`, and is locked: nobody else makes or removes `path` and `lock`.
#[derive(Debug)]
struct Held {
    path: PathBuf,
    lock: PathBuf,
    _file: File,
}

impl Held {
    /// Makes one in `all`.
    fn new(all: &Path) -> io::Result<Self> {
        fs::create_dir_all(all)?;
        sweep_instance(all.parent().unwrap_or(all));
        let mut number = 0u64;
        loop {
            number += 1;
            let path = all.join(number.to_string());
            let lock = path.with_extension(LOCK);
            let made = File::create_new(&lock).and_then(|file| locked(file, &lock));
            let file = match made {
                Ok(Some(file)) => file,
                // Another holds it, or has taken it for that of somebody who is gone before it could be locked.
                Ok(None) => continue,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // INVARIANT: `locked` has verified it.
            let held = Held { path, lock, _file: file };
            match fs::create_dir(&held.path) {
                Ok(()) => return Ok(held),
                // Not ours to remove: its lock file was lost.
                Err(error) => {
                    fs::remove_file(&held.lock)?;
                    if error.kind() != io::ErrorKind::AlreadyExists {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn remove(self) {
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        };
        // The lock last: what remains is tried again.
        let removed = gone(fs::remove_dir_all(&self.path)).and_then(|()| gone(fs::remove_file(&self.lock)));
        if let Err(error) = removed {
            log!(warn, "cannot remove {}, which is no longer used: {error}", self.path.display());
        }
    }
}

/// The file, if it is locked by us now and is still the one at `path`.
fn locked(file: File, path: &Path) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    let identity = |found: &fs::Metadata| (found.dev(), found.ino());
    let ours = identity(&file.metadata()?);
    Ok(fs::symlink_metadata(path).is_ok_and(|there| identity(&there) == ours).then_some(file))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn begun(home: &Path) -> (Ephemeral, PathBuf) {
        let ephemeral = Ephemeral::default();
        ephemeral.begin();
        let path = ephemeral.path(home).unwrap();
        fs::write(path.join("file"), "kept").unwrap();
        (ephemeral, path)
    }

    #[test]
    fn a_directory_ends_with_its_instance_and_no_other() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let ((first, its), (second, other)) = (begun(home), begun(home));
        assert_ne!(its, other);
        assert_eq!(first.path(home).unwrap(), its);
        sweep_instance(home);
        first.end();
        assert!(!its.exists() && other.join("file").exists());
        first.path(home).unwrap_err();
        first.begin();
        assert!(first.path(home).unwrap().read_dir().unwrap().next().is_none(), "an instance begins with an empty one");
        [first, second].iter().for_each(Ephemeral::end);
        assert_eq!(entries(&home.join(NAME)).count(), 0);
    }

    #[test]
    fn what_a_dead_process_held_is_removed_and_nothing_that_is_linked_to() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        // As a process leaves it that is killed: the system has ended its lock.
        let all = home.join("instances/a").join(NAME);
        fs::create_dir_all(all.join("1/deep")).unwrap();
        fs::write(all.join("1.lock"), "").unwrap();
        fs::create_dir_all(home.join("elsewhere/2")).unwrap();
        fs::write(home.join("elsewhere/2.lock"), "").unwrap();
        fs::create_dir(home.join("instances/b")).unwrap();
        std::os::unix::fs::symlink(home.join("elsewhere"), home.join("instances/b").join(NAME)).unwrap();
        sweep(home);
        assert_eq!(entries(&all).count(), 0);
        assert_eq!(entries(&home.join("elsewhere")).count(), 2);
    }

    #[test]
    fn many_that_begin_and_sweep_at_once_never_share_one() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let (ephemeral, path) = begun(home);
                        assert!(path.join("file").exists());
                        sweep_instance(home);
                        assert!(path.join("file").exists());
                        ephemeral.end();
                    }
                });
            }
        });
        assert_eq!(entries(&home.join(NAME)).count(), 0);
    }
}

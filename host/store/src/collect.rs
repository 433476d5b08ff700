//! Collecting what no state names: remains of a crash, and what a change has given up.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use hookrail_model::log;
use hookrail_package::UNFINISHED;

use crate::store::Store;

/// How long a staged package is kept.
pub(crate) const STAGED: Duration = Duration::from_secs(60 * 60);

/// Removes all versions that are not named, and everything unfinished. The caller must hold the lock: otherwise files
/// that are being written would be removed.
pub(super) fn collect(store: &Store, is_named: impl Fn(&str, &str) -> bool) {
    let directory = store.directory();
    for unfinished in names(store.home().path()).chain(names(&directory).map(|name| format!("store/{name}"))) {
        if unfinished.rsplit('/').next().is_some_and(|name| name.starts_with(UNFINISHED)) {
            remove(&store.home().path().join(unfinished));
        }
    }
    for name in names(&directory) {
        let plugin = directory.join(&name);
        if !plugin.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            continue;
        }
        for version in names(&plugin).filter(|version| !is_named(&name, version)) {
            remove(&plugin.join(version));
        }
        // While it contains a version, the system refuses.
        let _ = fs::remove_dir(plugin);
    }
    let _ = fs::remove_dir(directory);
    stale(&store.staged());
}

/// Removes packages that were staged too long ago.
fn stale(staged: &Path) {
    for name in names(staged) {
        let file = staged.join(name);
        let age = file.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|since| since.elapsed().ok());
        if age.is_some_and(|age| age > STAGED) {
            remove(&file);
        }
    }
    let _ = fs::remove_dir(staged);
}

/// Removes a file, or a directory with its contents. A failure does not harm installed plugins, and the next change
/// tries again.
pub(super) fn remove(path: &Path) {
    let is_directory = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log!(warn, path = %path.display(), %error, "cannot remove what is no longer installed");
        }
        _ => {}
    }
}

/// The names in a directory that are UTF-8; the store creates no others.
pub(super) fn names(directory: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

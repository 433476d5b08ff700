//! Purging: a configuration is removed together with its plugin, although the two are in separate files.
//!
//! The directory is marked before the state stops naming its plugin, and removed after that. So after a crash in
//! between, the next change knows what happened: a mark on a plugin that the state still names belongs to a purge that
//! did not happen; a mark on one that it does not name, to one that did. Without marks, the second case would look the
//! same as a `state.json` that was moved away, whose configurations must stay.

use std::fs::{self, File};
use std::io;

use hookrail_model::log;
use hookrail_package::UNFINISHED;

use crate::collect::{names, remove};
use crate::error::{Error, failed};
use crate::store::Store;
use crate::unpack::sync;

/// The mark's file name in the directory.
const MARK: &str = "purged";

/// Marks the configuration of a plugin to be removed together with it.
pub(crate) fn mark(store: &Store, name: &str) -> Result<(), Error> {
    let directory = store.config(name);
    let mark = directory.join(MARK);
    match File::create(&mark) {
        Ok(_) => sync(&directory),
        // There is no configuration to remove.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed("write", &mark)(source)),
    }
}

/// Removes what is marked, and directories that turned out to be unneeded. `names_it` tells whether the state names a
/// plugin; `None` as long as the state may be one of two.
pub(crate) fn collect(store: &Store, names_it: impl Fn(&str) -> Option<bool>) {
    for name in names(&store.configs()) {
        let directory = store.config(&name);
        if directory.join(MARK).exists() {
            match names_it(&name) {
                None => continue,
                Some(true) => remove(&directory.join(MARK)),
                // Renamed first to a name that is always collected, since the mark may be removed first.
                Some(false) => {
                    let gone = store.home().path().join(format!("{UNFINISHED}purged-{name}"));
                    match fs::rename(&directory, &gone) {
                        Ok(()) => remove(&gone),
                        Err(error) => log!(warn, path = %directory.display(), %error, "cannot remove what is purged"),
                    }
                }
            }
        }
        // Unless it is empty, the system refuses.
        let _ = fs::remove_dir(directory);
    }
    let _ = fs::remove_dir(store.configs());
}

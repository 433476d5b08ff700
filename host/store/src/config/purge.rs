//! Purging: a configuration goes with its plugin, though the two are in two files.
//!
//! A directory is marked before the state ceases to name its plugin, and goes after that. So after a crash in
//! between the next change knows which it was: a mark on what the state names was made by a purge that did
//! not happen; one on what it does not name, by one that did. Without marks nobody could tell that from a
//! state that somebody moved away, whose configurations are to stay.

use std::fs::{self, File};
use std::io;

use hookrail_model::log;
use hookrail_package::UNFINISHED;

use crate::collect::{names, remove};
use crate::error::{Error, failed};
use crate::store::Store;
use crate::unpack::sync;

/// The file in the directory.
const MARK: &str = "purged";

/// Says that the configuration of a plugin shall go with it.
pub(crate) fn mark(store: &Store, name: &str) -> Result<(), Error> {
    let directory = store.config(name);
    let mark = directory.join(MARK);
    match File::create(&mark) {
        Ok(_) => sync(&directory),
        // There is nothing that would go with it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed("write", &mark)(source)),
    }
}

/// Removes what is marked, and directories that were made for nothing. `names_it` answers whether the state names
/// a plugin, and nothing as long as it may be one of two.
pub(crate) fn collect(store: &Store, names_it: impl Fn(&str) -> Option<bool>) {
    for name in names(&store.configs()) {
        let directory = store.config(&name);
        if directory.join(MARK).exists() {
            match names_it(&name) {
                None => continue,
                Some(true) => remove(&directory.join(MARK)),
                // Under a name that makes it go whatever happens, since the mark may go first.
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

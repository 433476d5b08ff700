//! A copy of a store to try changes on, without effect on the original.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;

use hookrail_package::{Home, UNFINISHED};
use tempfile::TempDir;

use crate::change::Change;
use crate::error::{Error, failed};
use crate::store::Store;

/// The parts of a home that a change of the store reads, and the depth of the directories in which it may write.
const PARTS: [(&str, u32); 4] = [("config", 2), ("state.json", 0), ("store", 2), ("trust.json", 0)];

/// A store with the same content as another one, until it is dropped.
///
/// # Invariants
/// Its files, and the versions of its plugins, are links into the other store. A change replaces files with new ones
/// and never writes into existing ones, so it reaches nothing beyond a link.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    /// The copy.
    pub store: Store,
    directory: TempDir,
    /// Held because another change of the original would collect this copy.
    _change: Change<'a>,
}

impl Store {
    /// Makes a copy of the store.
    ///
    /// # Errors
    /// If another process changes the store, or copying fails.
    pub fn rehearsal(&self) -> Result<Rehearsal<'_>, Error> {
        let change = self.change()?;
        let home = self.home().path();
        let directory = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(home);
        let directory = directory.map_err(failed("write into", home))?;
        for (part, depth) in PARTS {
            let from = home.join(part);
            if from.exists() {
                // INVARIANT: it creates only directories and links.
                link(&from, &directory.path().join(part), depth).map_err(failed("copy", &from))?;
            }
        }
        let store = self.elsewhere(Home::open(directory.path())?);
        Ok(Rehearsal { store, directory, _change: change })
    }
}

impl Rehearsal<'_> {
    /// A text about the copy, with the original's path in place of the copy's.
    pub fn in_place(&self, said: &str) -> String {
        let home = self.directory.path().parent().expect("it lies in the home");
        said.replace(&*self.directory.path().to_string_lossy(), &home.to_string_lossy())
    }
}

/// Creates the same directories down to `depth`, and links to everything else in them.
fn link(from: &Path, to: &Path, depth: u32) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    if depth == 0 || !metadata.is_dir() {
        return symlink(from, to);
    }
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        link(&from.join(&name), &to.join(name), depth - 1)?;
    }
    // The store checks who may write there.
    fs::set_permissions(to, metadata.permissions())
}

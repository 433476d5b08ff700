//! A store to try things out in: what is done there was never done.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;

use hookrail_package::{Home, UNFINISHED};
use tempfile::TempDir;

use crate::change::Change;
use crate::error::{Error, failed};
use crate::store::Store;

/// What of a home a change of the store looks at, and how many directories deep another one may be written there.
const PARTS: [(&str, u32); 4] = [("config", 2), ("state.json", 0), ("store", 2), ("trust.json", 0)];

/// A store in which all is as in another one, until it is dropped.
///
/// # Invariants
/// Its files, and the versions of its plugins, are links into the other one. A change puts new ones into the
/// place of old ones, and writes into none that is there: so it reaches nothing beyond a link.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    /// The store to try things out in.
    pub store: Store,
    directory: TempDir,
    /// Whoever else changed the other one would collect this.
    _change: Change<'a>,
}

impl Store {
    /// Refuses while another process changes what is installed.
    pub fn rehearsal(&self) -> Result<Rehearsal<'_>, Error> {
        let change = self.change()?;
        let home = self.home().path();
        let directory = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(home);
        let directory = directory.map_err(failed("write into", home))?;
        for (part, depth) in PARTS {
            let from = home.join(part);
            if from.exists() {
                // INVARIANT: nothing but directories is made there, and links.
                link(&from, &directory.path().join(part), depth).map_err(failed("copy", &from))?;
            }
        }
        let store = self.elsewhere(Home::open(directory.path())?);
        Ok(Rehearsal { store, directory, _change: change })
    }
}

impl Rehearsal<'_> {
    /// What was said of the store, said of the one that it stands for.
    pub fn in_place(&self, said: &str) -> String {
        let home = self.directory.path().parent().expect("it lies in the home");
        said.replace(&*self.directory.path().to_string_lossy(), &home.to_string_lossy())
    }
}

/// Makes directories like those that are there, so deep, and links to all else in them.
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
    // Who may write there is looked at.
    fs::set_permissions(to, metadata.permissions())
}

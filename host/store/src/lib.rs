//! What is installed in a [`Home`], and what its operator wants of it.
//!
//! Owns the files of what is installed, and each change of them, whole or not at all. Must know nothing of hosts and of
//! hook points: whoever loads what is installed is asked to agree, and answers. Stands on package.
//!
//! ```text
//! lock                     held by whoever changes anything
//! state.json               the truth: what is installed, and what is wanted of it
//! store/NAME/VERSION/      the files of a package, and its metadata as package.json
//! incoming/                packages that are dropped in, for a host to install
//! staged/                  packages that were checked, at hand for an hour
//! config/NAME/config.json  a plugin's configuration and those before it, which outlive the plugin
//! ```
//!
//! # The life of an installed plugin
//!
//! 1. [`Store::change`] takes the lock, and collects what a crash left behind.
//! 2. [`Change::install`] copies a package once, and verifies, checks and unpacks that copy. The plugin is
//!    disabled until [`Change::enable`] says that hosts shall load it.
//! 3. A later version takes the place of the one before it, which is kept: [`Change::rollback`] swaps the
//!    two. Older ones go.
//! 4. [`Store::list`] tells what is installed, and who vouches for it. [`Store::wanted`] is what a host
//!    loads; [`Library::open`] copies it into memory, and refuses what differs from what was installed.
//!    `Manager::open_store` does so with all that is enabled.
//! 5. [`Change::configure`] sets a plugin's configuration, in one file of its own with those before it.
//! 6. [`Change::uninstall`] removes the files. Whose the name is stays known, unless it is purged.
//!
//! # A crash at any moment
//!
//! `state.json` is replaced as a whole. Files are there, and synced, before it names them, and go after it
//! has ceased to. So what is read behind a crash is the state before a change or the one after it, whole;
//! what neither names is collected by the next change.

mod change;
mod collect;
mod config;
mod error;
mod examine;
mod install;
mod library;
mod list;
mod rehearsal;
mod requires;
mod stage;
mod state;
mod unpack;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use hookrail_model::error::Error as HostError;
#[doc(no_inline)]
pub use hookrail_model::installed::{
    Allowance, Configured, FormerConfig, Installation, Kind, Listed, Origin, Standing, Voucher,
};
use hookrail_package::Home;
pub use semver::Version;

pub use change::{Change, MAX_ALLOWANCE, can_be_meant};
pub use error::{Error, Refused};
pub use install::Install;
pub use library::{Enabled, Library, Wanted};
pub use list::Depth;
pub use rehearsal::Rehearsal;
pub use state::{Desired, Installed, Plugin, State};

/// How large a configuration may be, in bytes of compact JSON: a host is told all of it in one line.
pub const MAX_CONFIG: usize = 512 << 10;

/// What is installed in a home.
#[derive(Clone, Debug)]
pub struct Store {
    home: Home,
    /// The libraries that came with the program, by the names of the plugins in them.
    prebuilt: BTreeMap<String, PathBuf>,
    /// Reads the JSON Schema that one of those exports.
    exported: Exported,
}

/// Reads the JSON Schema of the configuration that a library exports, if it does.
type ReadSchema = dyn Fn(&Path) -> Result<Option<String>, HostError> + Send + Sync;

#[derive(Clone)]
struct Exported(Option<Arc<ReadSchema>>);

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exported").field(&self.0.is_some()).finish()
    }
}

impl Store {
    /// That of a home; refuses one that others may write to.
    pub fn open(home: Home) -> Result<Self, Error> {
        let store = Store { home, prebuilt: BTreeMap::new(), exported: Exported(None) };
        match store.folder().symlink_metadata() {
            Ok(_) => store.home.check(&store.folder())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed("look at", &store.folder())(source)),
        }
        Ok(store)
    }

    /// With the plugins that came with the program: the files of their libraries, by name. They are there
    /// without being installed, and no package can take their names; one that had it before keeps it.
    ///
    /// To know what a configuration of one is held against, `exported` is asked for the JSON Schema that its library
    /// exports. That takes running it, which is nothing that a store does.
    pub fn with_prebuilt(
        mut self,
        prebuilt: impl IntoIterator<Item = (String, PathBuf)>,
        exported: impl Fn(&Path) -> Result<Option<String>, HostError> + Send + Sync + 'static,
    ) -> Self {
        self.prebuilt.extend(prebuilt);
        self.exported = Exported(Some(Arc::new(exported)));
        self
    }

    /// The folder it lies in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The folder into which packages are dropped.
    pub fn incoming(&self) -> PathBuf {
        self.home.path().join("incoming")
    }

    /// The library of a plugin that came with the program. What is installed under its name goes before it: it
    /// was there before the program brought one.
    fn came_with(&self, state: &State, name: &str) -> Option<&Path> {
        let path = self.prebuilt.get(name)?;
        state.installed(name).is_err().then_some(path)
    }

    /// What is installed right now. Takes no lock: changes are seen whole or not at all.
    pub fn state(&self) -> Result<State, Error> {
        State::read(&self.home)
    }

    /// Begins to change it; refuses while another process does.
    pub fn change(&self) -> Result<Change<'_>, Error> {
        Change::begin(self)
    }

    /// What a look without the lock finds, if nothing has changed meanwhile: files that went while they were
    /// looked at would look damaged.
    fn undisturbed<T>(&self, look: impl Fn(&State) -> Result<T, Error>) -> Result<T, Error> {
        loop {
            let bytes = State::bytes(&self.home)?;
            let found = look(&State::of(bytes.as_deref(), &self.home)?);
            if State::bytes(&self.home)? == bytes {
                return found;
            }
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("store")
    }

    /// Where the versions of a plugin lie.
    pub fn folder_of(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Where a version lies, or shall.
    fn place(&self, name: &str, version: &Version) -> PathBuf {
        self.folder_of(name).join(version.to_string())
    }

    fn configs(&self) -> PathBuf {
        self.home.path().join("config")
    }

    fn config(&self, name: &str) -> PathBuf {
        self.configs().join(name)
    }
}

/// The file of a version with its metadata.
const METADATA: &str = "package.json";

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::system(format!("{what} {}", path.display()), source)
}

/// Agrees with every change: for a store that no host has loaded from.
pub fn unasked<T>(_: &T) -> Result<(), Error> {
    Ok(())
}

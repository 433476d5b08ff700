//! The store of a home: the paths in it, and its current state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use hookrail_model::error::Error as HostError;
use hookrail_package::Home;
use semver::Version;

use crate::error::{Error, failed};
use crate::state::State;

/// The file with a version's metadata.
pub(crate) const METADATA: &str = "package.json";

/// The plugins installed in a home.
#[derive(Clone, Debug)]
pub struct Store {
    home: Home,
    /// The libraries that came with the program, by plugin name.
    pub(crate) prebuilt: BTreeMap<String, PathBuf>,
    /// Reads the JSON Schema that such a library exports.
    exported: Exported,
}

/// Reads the JSON Schema of the configuration that a library exports, if it exports one.
type ReadSchema = dyn Fn(&Path) -> Result<Option<String>, HostError> + Send + Sync;

#[derive(Clone)]
struct Exported(Option<Arc<ReadSchema>>);

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exported").field(&self.0.is_some()).finish()
    }
}

impl Store {
    /// Opens the store of a home.
    ///
    /// # Errors
    /// If other users may write to it.
    pub fn open(home: Home) -> Result<Self, Error> {
        let store = Store { home, prebuilt: BTreeMap::new(), exported: Exported(None) };
        match store.directory().symlink_metadata() {
            Ok(_) => store.home.check(&store.directory())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed("look at", &store.directory())(source)),
        }
        Ok(store)
    }

    /// Adds the plugins that came with the program: the files of their libraries, by name. They are present without
    /// being installed, and no package can take their names; a package that had such a name before keeps it.
    ///
    /// `exported` reads the JSON Schema that a library exports, which configurations are validated against. That takes
    /// running the library, which the store itself never does. A host that loads from this store trusts these libraries
    /// anyway.
    #[must_use]
    pub fn with_prebuilt(
        mut self,
        prebuilt: impl IntoIterator<Item = (String, PathBuf)>,
        exported: impl Fn(&Path) -> Result<Option<String>, HostError> + Send + Sync + 'static,
    ) -> Self {
        self.prebuilt.extend(prebuilt);
        self.exported = Exported(Some(Arc::new(exported)));
        self
    }

    /// The store of another home, with the same prebuilt plugins.
    pub(crate) fn elsewhere(&self, home: Home) -> Self {
        Store { home, ..self.clone() }
    }

    /// The home that it is in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The drop-in directory for packages.
    pub fn incoming(&self) -> PathBuf {
        self.home.path().join("incoming")
    }

    /// The library of a plugin that came with the program. An installed plugin of the same name takes precedence, since
    /// it was there before the program bundled one.
    pub(crate) fn bundled(&self, state: &State, name: &str) -> Option<&Path> {
        let path = self.prebuilt.get(name)?;
        state.installed(name).is_err().then_some(path)
    }

    /// Refuses a plugin that is neither installed nor prebuilt.
    pub(crate) fn is_there(&self, state: &State, name: &str) -> Result<(), Error> {
        let installed = state.installed(name).map(|_| ());
        installed.or_else(|error| self.bundled(state, name).map(|_| ()).ok_or(error))
    }

    /// The current state. Takes no lock: a change is seen either whole or not at all.
    ///
    /// # Errors
    /// If `state.json` is damaged or cannot be read.
    pub fn state(&self) -> Result<State, Error> {
        State::read(&self.home)
    }

    /// Repeats `look` until the state has not changed meanwhile: without the lock, files that are removed while they
    /// are examined would seem damaged.
    pub(crate) fn undisturbed<T>(&self, look: impl Fn(&State) -> Result<T, Error>) -> Result<T, Error> {
        loop {
            let bytes = State::bytes(&self.home)?;
            let found = look(&State::of(bytes.as_deref(), &self.home)?);
            if State::bytes(&self.home)? == bytes {
                return found;
            }
        }
    }

    /// The JSON Schema that a prebuilt plugin exports.
    pub(crate) fn exported(&self, path: &Path) -> Result<Option<String>, Error> {
        Ok(self.exported.0.as_ref().map_or(Ok(None), |read| read(path))?)
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.home.path().join("store")
    }

    /// The directory with the versions of a plugin.
    #[doc(hidden)]
    pub fn directory_of(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// The directory of a version, whether it exists or not.
    pub(crate) fn place(&self, name: &str, version: &Version) -> PathBuf {
        self.directory_of(name).join(version.to_string())
    }

    pub(crate) fn configs(&self) -> PathBuf {
        self.home.path().join("config")
    }

    /// The directory of staged packages.
    pub(crate) fn staged(&self) -> PathBuf {
        self.home.path().join("staged")
    }

    pub(crate) fn config(&self, name: &str) -> PathBuf {
        self.configs().join(name)
    }
}

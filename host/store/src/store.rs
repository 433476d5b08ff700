//! The store of a home: where things lie in it, and what is installed right now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use hookrail_model::error::Error as HostError;
use hookrail_package::Home;
use semver::Version;

use crate::error::{Error, failed};
use crate::state::State;

/// The file of a version with its metadata.
pub(crate) const METADATA: &str = "package.json";

/// What is installed in a home.
#[derive(Clone, Debug)]
pub struct Store {
    home: Home,
    /// The libraries that came with the program, by the names of the plugins in them.
    pub(crate) prebuilt: BTreeMap<String, PathBuf>,
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
        match store.directory().symlink_metadata() {
            Ok(_) => store.home.check(&store.directory())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed("look at", &store.directory())(source)),
        }
        Ok(store)
    }

    /// With the plugins that came with the program: the files of their libraries, by name. They are there
    /// without being installed, and no package can take their names; one that had it before keeps it.
    ///
    /// To know what a configuration of one is held against, `exported` is asked for the JSON Schema that its library
    /// exports. That takes running it, which is nothing that a store does. Whoever has a host load from this store
    /// trusts those libraries as it is.
    pub fn with_prebuilt(
        mut self,
        prebuilt: impl IntoIterator<Item = (String, PathBuf)>,
        exported: impl Fn(&Path) -> Result<Option<String>, HostError> + Send + Sync + 'static,
    ) -> Self {
        self.prebuilt.extend(prebuilt);
        self.exported = Exported(Some(Arc::new(exported)));
        self
    }

    /// That of another home, with the same plugins that came with the program.
    pub(crate) fn elsewhere(&self, home: Home) -> Self {
        Store { home, ..self.clone() }
    }

    /// The directory it lies in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The directory into which packages are dropped.
    pub fn incoming(&self) -> PathBuf {
        self.home.path().join("incoming")
    }

    /// The library of a plugin that came with the program. What is installed under its name goes before it: it
    /// was there before the program brought one.
    pub(crate) fn bundled(&self, state: &State, name: &str) -> Option<&Path> {
        let path = self.prebuilt.get(name)?;
        state.installed(name).is_err().then_some(path)
    }

    /// Refuses what is neither installed nor prebuilt.
    pub(crate) fn is_there(&self, state: &State, name: &str) -> Result<(), Error> {
        let installed = state.installed(name).map(|_| ());
        installed.or_else(|error| self.bundled(state, name).map(|_| ()).ok_or(error))
    }

    /// What is installed right now. Takes no lock: changes are seen whole or not at all.
    pub fn state(&self) -> Result<State, Error> {
        State::read(&self.home)
    }

    /// What a look without the lock finds, if nothing has changed meanwhile: files that went while they were
    /// looked at would look damaged.
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

    /// Where the versions of a plugin lie.
    #[doc(hidden)]
    pub fn directory_of(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// Where a version lies, or shall.
    pub(crate) fn place(&self, name: &str, version: &Version) -> PathBuf {
        self.directory_of(name).join(version.to_string())
    }

    pub(crate) fn configs(&self) -> PathBuf {
        self.home.path().join("config")
    }

    /// Where packages lie that are staged.
    pub(crate) fn staged(&self) -> PathBuf {
        self.home.path().join("staged")
    }

    pub(crate) fn config(&self, name: &str) -> PathBuf {
        self.configs().join(name)
    }
}

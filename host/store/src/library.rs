//! The library of a plugin, on its way to a host.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use hookrail_image::{SealedCopy, inspect};
use hookrail_model::config::CallbackOverride;
use hookrail_model::isolation::Isolation;
use hookrail_model::note::{Note, NoteEndpoint, NoteHook};
use hookrail_model::package::{Digest, Metadata};
use hookrail_package::{Hashing, PackageError, Trust, fits_here};
use semver::Version;
use serde_json::Value;

use crate::error::{Error, failed};
use crate::examine::{Depth, examine};
use crate::state::{PluginSettings, State};
use crate::store::Store;

/// The library of a plugin for this machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Library {
    /// The plugin.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The path of its file.
    pub path: PathBuf,
    /// The required SHA-256; `None` for a library that came with the program.
    pub sha256: Option<Digest>,
}

/// What a host loads for a plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadSpec {
    /// Its library.
    pub library: Library,
    /// Its configuration: what the operator has set, else the package's default, else null.
    pub config: Value,
    /// What is changed about its callbacks.
    pub overrides: Vec<CallbackOverride>,
    /// In which process it runs, if an operator has decided that.
    pub isolation: Option<Isolation>,
    /// The plugins it needs.
    pub requires: Vec<String>,
}

/// What a plugin declares.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Declared {
    /// The callbacks that it may register.
    pub hooks: Vec<NoteHook>,
    /// Its sources and sinks.
    pub endpoints: Vec<NoteEndpoint>,
}

impl From<&Metadata> for Declared {
    fn from(metadata: &Metadata) -> Self {
        Declared { hooks: metadata.hooks.clone(), endpoints: metadata.endpoints.clone() }
    }
}

impl Store {
    /// What hosts load for a plugin, whether it is enabled or not.
    ///
    /// # Errors
    /// If it is not installed, no longer works here, or is no longer trusted.
    pub fn load_spec(&self, name: &str) -> Result<LoadSpec, Error> {
        self.load_spec_in(&self.state()?, &Trust::read(self.home())?, name)
    }

    pub(super) fn load_spec_in(&self, state: &State, trust: &Trust, name: &str) -> Result<LoadSpec, Error> {
        if let Some(path) = self.bundled(state, name) {
            let config = self.configured(name, None)?.value;
            let (library, PluginSettings { overrides, isolation, .. }) = (prebuilt(name, path)?, state.settings(name));
            return Ok(LoadSpec { library, config, overrides, isolation, requires: Vec::new() });
        }
        let (_, version, installed) = state.installed(name)?;
        // Only a few of its files are needed, and those are verified when they are used.
        self.load_spec_of(state, &examine(self, trust, name, version, installed, Depth::Metadata)?)
    }

    /// What hosts load for a version in the store.
    pub(super) fn load_spec_of(&self, state: &State, metadata: &Metadata) -> Result<LoadSpec, Error> {
        self.load_spec_at(&self.place(&metadata.name, &metadata.version), state, metadata)
    }

    /// As [`load_spec_of`](Self::load_spec_of), for a version that is unpacked in this directory.
    pub(super) fn load_spec_at(&self, place: &Path, state: &State, metadata: &Metadata) -> Result<LoadSpec, Error> {
        let name = &metadata.name;
        let config = self.configured(name, Some((metadata, place)))?.value;
        let requires = metadata.requires.iter().map(|requirement| requirement.name.clone()).collect();
        let (library, PluginSettings { overrides, isolation, .. }) =
            (library_at(place, metadata)?, state.settings(name));
        Ok(LoadSpec { library, config, overrides, isolation, requires })
    }

    /// What a plugin declares.
    ///
    /// # Errors
    /// If the plugin is not there, or cannot be read.
    pub fn declared(&self, state: &State, name: &str) -> Result<Declared, Error> {
        if let Some(path) = self.bundled(state, name) {
            let Note { hooks, endpoints, .. } = inspect(path)?.note;
            return Ok(Declared { hooks, endpoints });
        }
        let (_, version, installed) = state.installed(name)?;
        let trust = Trust::read(self.home())?;
        Ok(Declared::from(&examine(self, &trust, name, version, installed, Depth::Metadata)?))
    }
}

/// The library for this machine of a version in that directory.
fn library_at(place: &Path, metadata: &Metadata) -> Result<Library, Error> {
    let Metadata { name, version, .. } = metadata;
    let build =
        fits_here(metadata).map_err(|why| Error::PackageRejected { package: place.display().to_string(), why })?;
    let file = metadata.files.iter().find(|file| file.path == build.library);
    let sha256 = file.expect("metadata that was read names its libraries").sha256;
    let path = place.join(build.library.as_str());
    Ok(Library { name: name.clone(), version: version.clone(), path, sha256: Some(sha256) })
}

/// The library of a plugin that came with the program.
pub(super) fn prebuilt(name: &str, path: &Path) -> Result<Library, Error> {
    let version = version(&inspect(path)?.note);
    Ok(Library { name: name.into(), version, path: path.into(), sha256: None })
}

/// The version that a note states; nothing but packages has to state one in this form.
pub(super) fn version(note: &Note) -> Version {
    note.version.parse().unwrap_or(Version::new(0, 0, 0))
}

impl Library {
    /// A copy in memory that can no longer be changed, and that is what was installed: the copy was hashed, not the
    /// file.
    ///
    /// # Errors
    /// If the file cannot be copied, or is not what was installed.
    pub fn open(&self) -> Result<OwnedFd, Error> {
        self.verified().map(SealedCopy::into_fd)
    }

    /// As [`open`](Self::open), in the form that a host loads.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    #[doc(hidden)]
    pub fn verified(&self) -> Result<SealedCopy, Error> {
        let copy = SealedCopy::of(&self.path)?;
        if let Some(sha256) = self.sha256 {
            let mut bytes = Hashing::new(copy.reader()?);
            io::copy(&mut bytes, &mut io::sink()).map_err(failed("read", &self.path))?;
            let found = bytes.digest();
            if found != sha256 {
                let package = self.path.display().to_string();
                return Err(Error::PackageRejected { package, why: PackageError::digest("it", sha256, found) });
            }
        }
        Ok(copy)
    }
}

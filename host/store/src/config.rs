//! The configurations of installed plugins: the current one, earlier ones, and their schema.
//!
//! 1. [`Store::configuration`] is what the operator has set, or the plugin has written itself, else the package's
//!    default in `etc/NAME.json`, else nothing.
//! 2. [`Store::schema`] is the package's schema in `etc/NAME.schema.json`.
//! 3. [`Store::history`] keeps ten configurations before the current one: the last ones, but not more than five that the
//!    plugin wrote itself while the operator has set others.

pub(crate) mod purge;
pub(crate) mod record;

use hookrail_package::regular::{self, MAX_FILE};
use std::path::Path;

use hookrail_model::installed::{Configured, FormerConfig, Origin};
use hookrail_model::package::Metadata;
use hookrail_model::schema::Schema;
use hookrail_package::{PackageError, Trust, digest};
use semver::Version;
use serde_json::Value;

use crate::error::{Error, StoreError, failed, refused};
use crate::examine::{Depth, examine};
use crate::state::State;
use crate::store::Store;
use record::Record;

impl Store {
    /// The current configuration of a plugin, and where it comes from.
    ///
    /// # Errors
    /// If the plugin is not there, or its configuration is damaged.
    pub fn configuration(&self, name: &str) -> Result<Configured, Error> {
        self.undisturbed(|state| {
            if self.bundled(state, name).is_some() {
                return self.configured(name, None);
            }
            let (_, version, installed) = state.installed(name)?;
            let metadata = self.metadata(state, name, version)?;
            let mut configured = self.configured(name, Some((&metadata, &self.place(name, version))))?;
            if configured.origin == Origin::Package {
                configured.since = Some(installed.installed_at.clone());
            }
            Ok(configured)
        })
    }

    /// The configuration of a plugin whose package has this metadata, and is unpacked in this directory.
    pub(super) fn configured(&self, name: &str, package: Option<(&Metadata, &Path)>) -> Result<Configured, Error> {
        if let Some(FormerConfig { revision, since, origin, value, .. }) = Record::read(self, name)?.into_current() {
            return Ok(Configured::new(value, origin, revision, Some(since)));
        }
        let default = |(metadata, directory): (&Metadata, &Path)| {
            json(directory, metadata, &format!("etc/{name}.json")).transpose()
        };
        let (value, origin) = match package.and_then(default).transpose()? {
            Some(value) => (value, Origin::Package),
            None => (Value::Null, Origin::Nothing),
        };
        Ok(Configured::new(value, origin, 0, None))
    }

    /// The JSON Schema of the configuration, if the package contains one; for a prebuilt plugin, the one that it
    /// exports.
    ///
    /// # Errors
    /// If the plugin is not there, or its files are not those that were installed.
    pub fn schema(&self, name: &str) -> Result<Option<Value>, Error> {
        self.undisturbed(|state| {
            if let Some(path) = self.bundled(state, name) {
                let read = |text: String| serde_json::from_str(&text).ok();
                return Ok(self.exported(path)?.and_then(read));
            }
            let version = state.installed(name)?.1;
            json(&self.place(name, version), &self.metadata(state, name, version)?, &schema_path(name))
        })
    }

    /// The earlier configurations of the operator and of the plugin itself, the newest first; at most ten.
    ///
    /// # Errors
    /// If the plugin is not there, or the record is damaged.
    pub fn history(&self, name: &str) -> Result<Vec<FormerConfig>, Error> {
        self.is_there(&self.state()?, name)?;
        Ok(Record::read(self, name)?.into_former())
    }

    /// The metadata of a plugin's package; `None` for a plugin that came with the program.
    ///
    /// # Errors
    /// If the plugin is not there, or its metadata is not what was installed.
    #[doc(hidden)]
    pub fn installed_metadata(&self, name: &str) -> Result<Option<Metadata>, Error> {
        self.undisturbed(|state| {
            if self.bundled(state, name).is_some() {
                return Ok(None);
            }
            self.metadata(state, name, state.installed(name)?.1).map(Some)
        })
    }

    /// The metadata of an installed version, verified to be what was installed.
    pub(super) fn metadata(&self, state: &State, name: &str, version: &Version) -> Result<Metadata, Error> {
        let installed = state.plugins().get(name).and_then(|plugin| plugin.versions.get(version));
        let installed = installed.ok_or_else(|| refused(name, StoreError::NotInstalled))?;
        examine(self, &Trust::read(self.home())?, name, version, installed, Depth::Metadata)
    }
}

fn schema_path(name: &str) -> String {
    format!("etc/{name}.schema.json")
}

/// The schema that configurations of a version are validated against.
pub(crate) fn schema(directory: &Path, metadata: &Metadata) -> Result<Option<Schema>, Error> {
    let Some(bytes) = member(directory, metadata, &schema_path(&metadata.name))? else { return Ok(None) };
    Ok(Some(Schema::new(&metadata.name, String::from_utf8_lossy(&bytes).into_owned())?))
}

fn json(directory: &Path, metadata: &Metadata, path: &str) -> Result<Option<Value>, Error> {
    let Some(bytes) = member(directory, metadata, path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let why = PackageError::member(path, format!("it is not JSON: {error}"));
        Error::PackageRejected { package: directory.display().to_string(), why }
    })
}

/// A file of a package, if the package contains it; verified against the metadata.
fn member(directory: &Path, metadata: &Metadata, path: &str) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = metadata.files.iter().find(|file| file.path.as_str() == path) else { return Ok(None) };
    let place = directory.join(path);
    let bytes = regular::read(&place, MAX_FILE).map_err(failed("read", &place))?;
    let found = digest(&bytes);
    if found == file.sha256 {
        return Ok(Some(bytes));
    }
    let why = PackageError::digest(path, file.sha256, found);
    Err(Error::PackageRejected { package: directory.display().to_string(), why })
}

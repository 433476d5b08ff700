//! The configuration of installed plugins: what applies, what applied before, and setting another one.
//!
//! 1. [`Store::configuration`] is what the operator has set, else the default that the package brought as
//!    `etc/NAME.json`, else nothing.
//! 2. [`Change::configure`] holds a new one against the [schema](Store::schema) that the package brought as
//!    `etc/NAME.schema.json`, asks whoever has to agree, and only then writes it.
//! 3. The one before goes into the [history](Store::history), which keeps ten.
//! 4. A version that is enabled, or comes in the place of one that is, has to [fit](Change::fits) what is
//!    set.
//!
//! What is set outlives the plugin, unless that is purged.

pub(super) mod purge;
mod record;

use std::fs;
use std::path::Path;

use hookrail_model::error::{ConfigError, Error as HostError};
use hookrail_model::installed::{Configured, FormerConfig, Origin};
use hookrail_model::package::Metadata;
use hookrail_model::schema::Schema;
use hookrail_package::{Rejected, Trust, digest};
use semver::Version;
use serde_json::Value;

use super::change::Change;
use super::error::{Error, Refused};
use super::examine::examine;
use super::list::Depth;
use super::state::{State, refused};
use super::unpack::sync;
use super::{MAX_CONFIG, Store, failed};
use record::Record;

impl Store {
    /// The configuration of a plugin that applies, and where it comes from.
    pub fn configuration(&self, name: &str) -> Result<Configured, Error> {
        self.undisturbed(|state| {
            if self.came_with(state, name).is_some() {
                return self.configured(name, None);
            }
            let (_, version, installed) = state.installed(name)?;
            let metadata = self.metadata(state, name, version)?;
            let configured = self.configured(name, Some(&metadata))?;
            let since = configured.since.clone().or_else(|| match configured.origin {
                Origin::Package => Some(installed.at.clone()),
                Origin::Host | Origin::Nothing | Origin::Operator => None,
            });
            Ok(Configured { since, ..configured })
        })
    }

    /// That of a plugin whose package says that of itself.
    pub(super) fn configured(&self, name: &str, metadata: Option<&Metadata>) -> Result<Configured, Error> {
        if let Some(FormerConfig { revision, since, value }) = Record::read(self, name)?.into_current() {
            return Ok(Configured { value, origin: Origin::Operator, revision, since: Some(since) });
        }
        let default = |metadata: &Metadata| {
            json(&self.place(name, &metadata.version), metadata, &format!("etc/{name}.json")).transpose()
        };
        let (value, origin) = match metadata.and_then(default).transpose()? {
            Some(value) => (value, Origin::Package),
            None => (Value::Null, Origin::Nothing),
        };
        Ok(Configured { value, origin, revision: 0, since: None })
    }

    /// The JSON Schema of the configuration, if the package brought one; that of a prebuilt plugin is the one
    /// that it exports.
    pub fn schema(&self, name: &str) -> Result<Option<Value>, Error> {
        self.undisturbed(|state| {
            if let Some(path) = self.came_with(state, name) {
                let read = |text: String| serde_json::from_str(&text).ok();
                return Ok(self.exported(path)?.and_then(read));
            }
            let version = state.installed(name)?.1;
            json(&self.place(name, version), &self.metadata(state, name, version)?, &schema_path(name))
        })
    }

    /// What the operator had set before, the newest first; ten at most.
    pub fn history(&self, name: &str) -> Result<Vec<FormerConfig>, Error> {
        self.state()?.is_there(self, name)?;
        Ok(Record::read(self, name)?.into_former())
    }

    /// What the package of a plugin says of itself; nothing of one that came with the program.
    pub fn installed_metadata(&self, name: &str) -> Result<Option<Metadata>, Error> {
        self.undisturbed(|state| {
            if self.came_with(state, name).is_some() {
                return Ok(None);
            }
            self.metadata(state, name, state.installed(name)?.1).map(Some)
        })
    }

    /// The JSON Schema that a prebuilt plugin exports.
    fn exported(&self, path: &Path) -> Result<Option<String>, Error> {
        Ok(self.exported.0.as_ref().map_or(Ok(None), |read| read(path))?)
    }

    /// What an installed version says of itself, if it is what was installed.
    pub(super) fn metadata(&self, state: &State, name: &str, version: &Version) -> Result<Metadata, Error> {
        let installed = state.plugins().get(name).and_then(|plugin| plugin.versions.get(version));
        let installed = installed.ok_or_else(|| refused(name, Refused::NotInstalled))?;
        examine(self, &Trust::read(self.home())?, name, version, installed, Depth::Metadata)
    }
}

impl Change<'_> {
    /// Sets the configuration of an installed plugin; answers it, and whether it is another one than before.
    ///
    /// It is held against the schema first, and `agree` is asked last: a host has its running instance take
    /// it there, or refuse it. Behind an error that came after that, [`Store::configuration`] says which of
    /// the two applies: the instance is to be given that again.
    pub fn configure<E: From<Error>>(
        &mut self,
        name: &str,
        value: Value,
        agree: impl FnOnce(&Value) -> Result<(), E>,
    ) -> Result<(Configured, bool), E> {
        self.is_there(name)?;
        let bytes = value.to_string().len();
        if bytes > MAX_CONFIG {
            return Err(refused(name, Refused::TooLarge { bytes }).into());
        }
        let schema = match self.state.installed(name) {
            Ok((_, version, _)) => {
                let metadata = self.store.metadata(&self.state, name, version)?;
                schema(&self.store.place(name, version), &metadata)?
            }
            Err(_) => self.schema_of_prebuilt(name)?,
        };
        schema.map_or(Ok(()), |schema| schema.check(name, &value)).map_err(Error::from)?;
        let record = Record::read(self.store, name)?;
        let is_new = record.current().is_none_or(|current| current.value != value);
        let record = if is_new {
            agree(&value)?;
            let record = record.followed_by(value);
            let written = record.write(self.store, name, &self.locked);
            // What was made for a file that is not there.
            written.inspect_err(|_| self.collect())?;
            record
        } else {
            // Whoever wrote it may have been killed before it was on the disk.
            sync(&self.store.config(name))?;
            record
        };
        let FormerConfig { revision, since, value } = record.into_current().expect("it was just set");
        Ok((Configured { value, origin: Origin::Operator, revision, since: Some(since) }, is_new))
    }

    /// Refuses a version that is installed if the configuration that is set does not fit its schema.
    pub fn fits(&self, name: &str, version: &Version) -> Result<(), Error> {
        let metadata = self.store.metadata(&self.state, name, version)?;
        self.fits_in(&self.store.place(name, version), &metadata)
    }

    /// The same for one that lies in a folder, and is looked at already.
    pub(super) fn fits_in(&self, folder: &Path, metadata: &Metadata) -> Result<(), Error> {
        let Metadata { name, version, .. } = metadata;
        self.fits_schema(name, || schema(folder, metadata)).map_err(|error| match error {
            Error::Host(HostError::Config(ConfigError::Schema { mistakes, .. })) => {
                refused(name, Refused::Unfit { version: version.to_string(), mistakes })
            }
            error => error,
        })
    }

    /// Refuses a plugin that came with the program if the configuration that is set does not fit it.
    pub(super) fn prebuilt_fits(&self, name: &str) -> Result<(), Error> {
        self.fits_schema(name, || self.schema_of_prebuilt(name))
    }

    fn fits_schema(&self, name: &str, schema: impl FnOnce() -> Result<Option<Schema>, Error>) -> Result<(), Error> {
        let Some(FormerConfig { value, .. }) = Record::read(self.store, name)?.into_current() else { return Ok(()) };
        Ok(schema()?.map_or(Ok(()), |schema| schema.check(name, &value))?)
    }

    fn schema_of_prebuilt(&self, name: &str) -> Result<Option<Schema>, Error> {
        let Some(path) = self.store.came_with(&self.state, name) else { return Ok(None) };
        Ok(self.store.exported(path)?.map(|text| Schema::new(name, text)).transpose()?)
    }
}

fn schema_path(name: &str) -> String {
    format!("etc/{name}.schema.json")
}

/// What configurations of a version are held against.
fn schema(folder: &Path, metadata: &Metadata) -> Result<Option<Schema>, Error> {
    let Some(bytes) = member(folder, metadata, &schema_path(&metadata.name))? else { return Ok(None) };
    Ok(Some(Schema::new(&metadata.name, String::from_utf8_lossy(&bytes).into_owned())?))
}

fn json(folder: &Path, metadata: &Metadata, path: &str) -> Result<Option<Value>, Error> {
    let Some(bytes) = member(folder, metadata, path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let why = Rejected::Member { path: path.into(), why: format!("it is no JSON: {error}") };
        Error::PackageRejected { package: folder.display().to_string(), why }
    })
}

/// A file of a package, if it has it and it is what the metadata says.
fn member(folder: &Path, metadata: &Metadata, path: &str) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = metadata.files.iter().find(|file| file.path.as_str() == path) else { return Ok(None) };
    let place = folder.join(path);
    let bytes = fs::read(&place).map_err(failed("read", &place))?;
    let found = digest(&bytes);
    if found == file.sha256 {
        return Ok(Some(bytes));
    }
    let why = Rejected::digest(path, file.sha256, found);
    Err(Error::PackageRejected { package: folder.display().to_string(), why })
}

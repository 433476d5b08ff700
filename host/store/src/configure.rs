//! Setting the configuration of an installed plugin.
//!
//! 1. [`Change::configure`] holds a new one against the [schema](Store::schema), asks whoever has to agree, and
//!    only then writes it.
//! 2. The one before goes into the [history](Store::history).
//! 3. A version that is enabled, or comes in the place of one that is, has to [fit](Change::fits) what is
//!    set.
//!
//! What is set outlives the plugin, unless that is purged.

use std::path::Path;

use hookrail_model::error::{ConfigError, Error as HostError};
use hookrail_model::installed::{Configured, FormerConfig, Origin};
use hookrail_model::package::Metadata;
use hookrail_model::schema::Schema;
use semver::Version;
use serde_json::Value;

use crate::change::Change;
use crate::config::record::Record;
use crate::config::schema;
use crate::error::{Error, MAX_CONFIG, StoreError, refused};
#[cfg(doc)]
use crate::store::Store;
use crate::unpack::sync;

impl Change<'_> {
    /// Sets the configuration of an installed plugin; returns it, and whether it is another one than before.
    ///
    /// It is held against the schema first, and `agree` is asked last: a host has its running instance take
    /// it there, or refuse it. After an error that came after that, [`Store::configuration`] says which of
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
            return Err(refused(name, StoreError::TooLarge { bytes }).into());
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

    /// The same for one that lies in a directory, and is looked at already.
    pub(super) fn fits_in(&self, directory: &Path, metadata: &Metadata) -> Result<(), Error> {
        let Metadata { name, version, .. } = metadata;
        self.fits_schema(name, || schema(directory, metadata)).map_err(|error| match error {
            Error::Host(HostError::Config(ConfigError::Schema { mistakes, .. })) => {
                refused(name, StoreError::Unfit { version: version.to_string(), mistakes })
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
        let Some(path) = self.store.bundled(&self.state, name) else { return Ok(None) };
        Ok(self.store.exported(path)?.map(|text| Schema::new(name, text)).transpose()?)
    }
}

//! Setting the configuration of an installed plugin.
//!
//! 1. [`Change::configure`] validates a new one against the [schema](Store::schema), asks the host to agree, and only
//!    then writes it.
//! 2. The one before goes into the [history](Store::history).
//! 3. [`Change::keep_own`] does the same with one that the plugin has written itself.
//! 4. A version that is enabled, or that replaces an enabled one, must [fit](Change::fits) the configuration.
//!
//! A configuration outlives the plugin, unless that is purged.

use std::path::Path;

use hookrail_model::config::MAX_CONFIG;
use hookrail_model::error::{ConfigError, Error as HostError};
use hookrail_model::installed::{Configured, FormerConfig, Origin};
use hookrail_model::package::Metadata;
use hookrail_model::schema::Schema;
use semver::Version;
use serde_json::Value;

use crate::change::{Change, agree};
use crate::config::record::Record;
use crate::config::schema;
use crate::error::{Error, StoreError, refused};
#[cfg(doc)]
use crate::store::Store;
use crate::unpack::sync;

impl Change<'_> {
    /// Sets the configuration of an installed plugin; returns it, and whether it differs from the one before.
    ///
    /// It is validated against the schema first, and `agree` is called last: there, a host makes its running instance
    /// accept or refuse it. After an error that came later than that, [`Store::configuration`] tells which of the two
    /// is current: the instance must be given that one again.
    ///
    /// # Errors
    /// If the plugin is not there, the configuration does not match its schema or is too large, `agree` refuses, or
    /// writing fails.
    pub fn configure<E: From<Error>>(
        &mut self,
        name: &str,
        value: Value,
        agree: impl FnOnce(&Value) -> Result<(), E>,
    ) -> Result<(Configured, bool), E> {
        let schema = match self.schema_of_package(name)? {
            None => self.schema_of_prebuilt(name)?,
            schema => schema,
        };
        self.set(name, value, Origin::Operator, schema, agree)
    }

    /// Keeps the configuration that a plugin has written itself; returns its revision. It is validated as one of the
    /// operator is, but for the schema that a prebuilt library exports: the host in which the plugin runs knows that.
    ///
    /// # Errors
    /// As for [`configure`](Self::configure).
    pub fn keep_own(&mut self, name: &str, value: Value) -> Result<u64, Error> {
        let schema = self.schema_of_package(name)?;
        Ok(self.set(name, value, Origin::Plugin, schema, agree)?.0.revision)
    }

    fn set<E: From<Error>>(
        &mut self,
        name: &str,
        value: Value,
        origin: Origin,
        schema: Option<Schema>,
        agree: impl FnOnce(&Value) -> Result<(), E>,
    ) -> Result<(Configured, bool), E> {
        self.is_there(name)?;
        let bytes = value.to_string().len();
        if bytes > MAX_CONFIG {
            return Err(refused(name, StoreError::TooLarge { bytes }).into());
        }
        schema.map_or(Ok(()), |schema| schema.check(name, &value)).map_err(Error::from)?;
        let record = Record::read(self.store, name)?;
        let is_new = record.current().is_none_or(|current| current.value != value);
        let record = if is_new {
            agree(&value)?;
            let record = record.followed_by(value, origin);
            let written = record.write(self.store, name, &self.locked);
            // Created for a file that was not written.
            written.inspect_err(|_| self.collect())?;
            record
        } else {
            // The process that wrote it may have been killed before it was synced.
            sync(&self.store.config(name))?;
            record
        };
        let FormerConfig { revision, since, origin, value, .. } = record.into_current().expect("it was just set");
        Ok((Configured::new(value, origin, revision, Some(since)), is_new))
    }

    /// Refuses an installed version if the current configuration does not match its schema.
    ///
    /// # Errors
    /// If it does not match, or cannot be read.
    pub fn fits(&self, name: &str, version: &Version) -> Result<(), Error> {
        let metadata = self.store.metadata(&self.state, name, version)?;
        self.fits_in(&self.store.place(name, version), &metadata)
    }

    /// As [`fits`](Self::fits), for a version in a directory that has already been examined.
    pub(super) fn fits_in(&self, directory: &Path, metadata: &Metadata) -> Result<(), Error> {
        let Metadata { name, version, .. } = metadata;
        self.fits_schema(name, || schema(directory, metadata)).map_err(|error| match error {
            Error::Host(HostError::Config(ConfigError::Schema { mistakes, .. })) => {
                refused(name, StoreError::Unfit { version: version.to_string(), mistakes })
            }
            error => error,
        })
    }

    /// Refuses a plugin that came with the program if the current configuration does not match its schema.
    pub(super) fn prebuilt_fits(&self, name: &str) -> Result<(), Error> {
        self.fits_schema(name, || self.schema_of_prebuilt(name))
    }

    fn fits_schema(&self, name: &str, schema: impl FnOnce() -> Result<Option<Schema>, Error>) -> Result<(), Error> {
        let Some(FormerConfig { value, .. }) = Record::read(self.store, name)?.into_current() else { return Ok(()) };
        Ok(schema()?.map_or(Ok(()), |schema| schema.check(name, &value))?)
    }

    fn schema_of_package(&self, name: &str) -> Result<Option<Schema>, Error> {
        let Ok((_, version, _)) = self.state.installed(name) else { return Ok(None) };
        schema(&self.store.place(name, version), &self.store.metadata(&self.state, name, version)?)
    }

    fn schema_of_prebuilt(&self, name: &str) -> Result<Option<Schema>, Error> {
        let Some(path) = self.store.bundled(&self.state, name) else { return Ok(None) };
        Ok(self.store.exported(path)?.map(|text| Schema::new(name, text)).transpose()?)
    }
}

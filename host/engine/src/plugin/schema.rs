//! The JSON Schema of a plugin's configuration, and validation against it.

use std::path::Path;
use std::sync::Arc;

use hookrail_image::SealedCopy;
use hookrail_model::error::Error;
use hookrail_model::note::NoteEndpoint;
use hookrail_model::schema::Schema;

use super::Loaded;
use crate::config::Config;
use crate::endpoints::DeclaredEndpoints;

/// The JSON Schema of a plugin's configuration, if it exports one.
///
/// # Errors
/// If the file is not a plugin that can be loaded, or fails to write its schema.
///
/// # Safety
/// The caller trusts the library as this program: unlike [`inspect`](hookrail_image::inspect) this loads it, which runs
/// its code, as [`Host::load`](crate::Host::load) does.
pub unsafe fn schema(file: impl AsRef<Path>) -> Result<Option<String>, Error> {
    // SAFETY: the caller trusts the library as this program.
    let loaded = unsafe { Loaded::open(SealedCopy::of(file.as_ref())?, &Config::default(), 0, None)? };
    let schema = loaded.body.schema();
    loaded.abandon();
    schema
}

/// The endpoints that a plugin declares, with the schemas of their configurations.
///
/// # Errors
/// As for [`schema`].
///
/// # Safety
/// As for [`schema`].
#[doc(hidden)]
pub unsafe fn declared_endpoints(file: impl AsRef<Path>) -> Result<DeclaredEndpoints, Error> {
    // SAFETY: the caller trusts the library as this program.
    let loaded = unsafe { Loaded::open(SealedCopy::of(file.as_ref())?, &Config::default(), 0, None)? };
    let declared = loaded.body.note().endpoints.clone();
    let schema = |endpoint: &NoteEndpoint| loaded.body.endpoint_schema(endpoint.kind, &endpoint.name);
    let schemas: Result<_, _> = declared.iter().map(schema).collect();
    loaded.abandon();
    Ok(DeclaredEndpoints { declared, schemas: schemas? })
}

impl Loaded {
    /// The compiled schema, if the plugin exports one. A malformed schema is reported as an error of `instance`.
    /// `known` is reused if its text is the same, since compiling takes longer than creating and starting a small
    /// plugin.
    pub(super) fn ready_schema(
        &self,
        instance: &str,
        known: Option<&Arc<Schema>>,
    ) -> Result<Option<Arc<Schema>>, Error> {
        let Some(text) = self.body.schema()? else { return Ok(None) };
        match known.filter(|known| known.text() == text) {
            Some(known) => Ok(Some(known.clone())),
            None => Schema::new(instance, text).map(|schema| Some(Arc::new(schema))),
        }
    }
}

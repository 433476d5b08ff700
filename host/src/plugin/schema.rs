//! The JSON Schema of a plugin's configuration, and holding a configuration against it.

use std::path::Path;
use std::sync::Arc;

use hookrail_abi::Text;
use hookrail_abi::boundary::SchemaTable;

use super::Loaded;
use crate::config::Config;
use crate::error::Error;
#[cfg(feature = "schema")]
use crate::error::{ConfigError, Misbehaved};
use crate::library::SealedCopy;

/// The JSON Schema of a plugin's configuration, if it exports one.
///
/// # Safety
/// Unlike [`inspect`](crate::inspect) this loads the library, which runs its code: see
/// [`Host::load`](crate::Host::load).
pub unsafe fn schema(file: impl AsRef<Path>) -> Result<Option<String>, Error> {
    // SAFETY: the caller's contract.
    let loaded = unsafe { Loaded::open(SealedCopy::of(file.as_ref())?, &Config::default())? };
    let schema = loaded.schema();
    loaded.abandon();
    schema
}

impl Loaded {
    /// The JSON Schema of the configuration, if the plugin exports one.
    pub(crate) fn schema(&self) -> Result<Option<String>, Error> {
        let Some(table) = self.library.table::<SchemaTable>() else { return Ok(None) };
        let mut schema = Text::new();
        // SAFETY: the text is exclusive for the call.
        self.call("schema", &self.note().name, || unsafe { (table.write)(&mut schema) })?;
        Ok(Some(schema.as_str().into()))
    }
}

impl Schema {
    /// As the plugin exports it.
    #[cfg(feature = "control")]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The JSON Schema of a plugin's configuration, ready to hold one against it.
#[derive(Debug)]
pub(crate) struct Schema {
    text: String,
    #[cfg(feature = "schema")]
    validator: jsonschema::Validator,
}

impl Loaded {
    /// What configurations are held against, if the plugin exports a schema. It is made ready for `instance`,
    /// which is blamed if it is malformed; not anew where it reads as `known` does, since that takes longer
    /// than a small plugin takes to be created and started.
    pub(super) fn ready_schema(
        &self,
        instance: &str,
        known: Option<&Arc<Schema>>,
    ) -> Result<Option<Arc<Schema>>, Error> {
        let Some(text) = self.schema()? else { return Ok(None) };
        match known.filter(|known| known.text == text) {
            Some(known) => Ok(Some(known.clone())),
            None => Schema::new(instance, text).map(|schema| Some(Arc::new(schema))),
        }
    }
}

#[cfg(feature = "schema")]
impl Schema {
    pub(crate) fn new(instance: &str, text: String) -> Result<Self, Error> {
        let malformed = |what: String| Error::PluginMisbehaved {
            plugin: instance.into(),
            why: Misbehaved::Failed { call: "schema", said: what },
        };
        let schema = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let validator = jsonschema::validator_for(&schema).map_err(|error| malformed(error.to_string()))?;
        Ok(Schema { text, validator })
    }

    pub(crate) fn check(&self, instance: &str, config: &serde_json::Value) -> Result<(), Error> {
        let mistakes: Vec<_> = self
            .validator
            .iter_errors(config)
            .map(|error| {
                let path = error.instance_path().to_string();
                let place = if path.is_empty() { "/".into() } else { path };
                format!("{place}: {error}")
            })
            .collect();
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Schema { instance: instance.into(), mistakes }.into())
        }
    }
}

/// Without the feature the plugin's own deserialisation finds the first mistake.
#[cfg(not(feature = "schema"))]
impl Schema {
    pub(crate) fn new(_instance: &str, text: String) -> Result<Self, Error> {
        Ok(Schema { text })
    }

    pub(crate) fn check(&self, _instance: &str, _config: &serde_json::Value) -> Result<(), Error> {
        Ok(())
    }
}

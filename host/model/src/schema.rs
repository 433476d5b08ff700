//! The JSON Schema of a plugin's configuration, and validation against it.

use crate::error::Error;
#[cfg(feature = "schema")]
use crate::error::{ConfigError, Misbehaved};

/// The JSON Schema of a plugin's configuration, compiled for validation.
#[derive(Debug)]
pub struct Schema {
    text: String,
    #[cfg(feature = "schema")]
    validator: jsonschema::Validator,
}

impl Schema {
    /// The schema as the plugin exports it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// If the schema is malformed; the error names `instance`.
    #[cfg(feature = "schema")]
    pub fn new(instance: &str, text: String) -> Result<Self, Error> {
        let malformed = |what: String| Error::PluginMisbehaved {
            plugin: instance.into(),
            why: Misbehaved::Failed { call: "schema".into(), message: what },
        };
        let schema = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let validator = jsonschema::validator_for(&schema).map_err(|error| malformed(error.to_string()))?;
        Ok(Schema { text, validator })
    }

    /// Keeps the schema as the plugin exports it; without the feature it is not compiled.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(feature = "schema"))]
    pub fn new(_instance: &str, text: String) -> Result<Self, Error> {
        Ok(Schema { text })
    }

    /// Validates a configuration.
    ///
    /// # Errors
    /// If it does not match the schema; the error lists all mistakes.
    #[cfg(feature = "schema")]
    pub fn check(&self, instance: &str, config: &serde_json::Value) -> Result<(), Error> {
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

    /// Accepts any configuration: without the feature, the plugin's own deserialisation finds the first mistake.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(feature = "schema"))]
    pub fn check(&self, _instance: &str, _config: &serde_json::Value) -> Result<(), Error> {
        Ok(())
    }
}

//! The JSON Schema of a plugin's configuration, and holding a configuration against it.

use crate::error::Error;
#[cfg(feature = "schema")]
use crate::error::{ConfigError, Misbehaved};

/// The JSON Schema of a plugin's configuration, ready to hold one against it.
#[derive(Debug)]
pub struct Schema {
    text: String,
    #[cfg(feature = "schema")]
    validator: jsonschema::Validator,
}

impl Schema {
    /// As the plugin exports it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Schema {
    /// A schema of an instance's configuration, which is blamed if it is malformed.
    #[cfg(feature = "schema")]
    pub fn new(instance: &str, text: String) -> Result<Self, Error> {
        let malformed = |what: String| Error::PluginMisbehaved {
            plugin: instance.into(),
            why: Misbehaved::Failed { call: "schema", said: what },
        };
        let schema = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let validator = jsonschema::validator_for(&schema).map_err(|error| malformed(error.to_string()))?;
        Ok(Schema { text, validator })
    }

    /// As the plugin exports it; without the feature it is not looked at.
    #[cfg(not(feature = "schema"))]
    pub fn new(_instance: &str, text: String) -> Result<Self, Error> {
        Ok(Schema { text })
    }

    /// Refuses a configuration that does not fit, with all its mistakes.
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

    /// Takes any: without the feature the plugin's own deserialisation finds the first mistake.
    #[cfg(not(feature = "schema"))]
    pub fn check(&self, _instance: &str, _config: &serde_json::Value) -> Result<(), Error> {
        Ok(())
    }
}

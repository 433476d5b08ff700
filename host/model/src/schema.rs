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
    /// Whether a part of the configuration is a secret: then no value is shown, since one may hold it.
    #[cfg(feature = "schema")]
    has_secrets: bool,
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
        Ok(Schema { text, validator, has_secrets: has_secrets(&schema) })
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
        self.check_showing(instance, config, !self.has_secrets)
    }

    /// As [`check`](Self::check), for a configuration with secrets: no value is shown.
    ///
    /// # Errors
    /// As for that.
    #[cfg(feature = "schema")]
    pub fn check_secret(&self, instance: &str, config: &serde_json::Value) -> Result<(), Error> {
        self.check_showing(instance, config, false)
    }

    #[cfg(feature = "schema")]
    fn check_showing(&self, instance: &str, config: &serde_json::Value, is_shown: bool) -> Result<(), Error> {
        let mistakes: Vec<_> = self
            .validator
            .iter_errors(config)
            .map(|error| {
                let path = error.instance_path().to_string();
                let place = if path.is_empty() { "/".into() } else { path };
                if is_shown { format!("{place}: {error}") } else { format!("{place}: {}", error.masked()) }
            })
            .collect();
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Schema { instance: instance.into(), mistakes }.into())
        }
    }

    /// As [`check`](Self::check).
    ///
    /// # Errors
    /// Never.
    #[cfg(not(feature = "schema"))]
    pub fn check_secret(&self, _instance: &str, _config: &serde_json::Value) -> Result<(), Error> {
        Ok(())
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

/// Whether a schema declares anything as `writeOnly`, as that of [`Secret`](hookrail_abi::Secret) does.
#[cfg(feature = "schema")]
fn has_secrets(schema: &serde_json::Value) -> bool {
    use serde_json::Value;
    match schema {
        Value::Array(all) => all.iter().any(has_secrets),
        Value::Object(all) => all.get("writeOnly") == Some(&Value::Bool(true)) || all.values().any(has_secrets),
        _ => false,
    }
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mistake_shows_no_secret() {
        let schema = json!({
            "$defs": { "Secret": { "type": "string", "minLength": 20, "writeOnly": true } },
            "type": "object", "additionalProperties": false,
            "properties": { "token": { "$ref": "#/$defs/Secret" }, "rate": { "type": "integer" } },
        });
        let schema = Schema::new("a", schema.to_string()).unwrap();
        for config in [json!({ "token": "hunter2" }), json!({ "rate": { "token": "hunter2" } }), json!(["hunter2"])] {
            let error = schema.check("a", &config).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.contains("value"), "{error}");
        }
        let open = Schema::new("a", json!({ "type": "string" }).to_string()).unwrap();
        assert!(open.check("a", &json!(5)).unwrap_err().to_string().contains("5 is not of type"));
    }
}

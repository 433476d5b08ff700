//! What an operator wants to be kept: its own configuration.

use hookrail_abi::host::NotWritten;
use serde_json::{Map, Value};

use crate::operator::Keeper;

/// How often the configuration is tried to be written, if somebody else has changed it meanwhile.
const TRIES: usize = 3;

impl Keeper {
    /// Keeps the operator's own configuration, as a part of that of the plugin.
    ///
    /// # Errors
    /// Why it is not kept.
    pub(crate) fn store(&mut self, config: Map<String, Value>) -> Result<(), String> {
        for _ in 0..TRIES {
            let stored = self.instance.stored_config().map_err(|why| why.to_string())?;
            let mut all: Value = serde_json::from_str(&stored.json).map_err(|why| why.to_string())?;
            let Some(own) = all.pointer_mut(&format!("/operators/{}", self.link.name)).and_then(Value::as_object_mut)
            else {
                return Err("the stored configuration has no such operator".into());
            };
            own.insert("config".into(), config.clone().into());
            match self.instance.write_config(&all.to_string(), Some(stored.revision)) {
                Ok(_) => {
                    self.link.state().stored = Some(config.clone());
                    self.operator.config = config;
                    return Ok(());
                }
                Err(NotWritten::Changed(_)) => {}
                Err(why) => return Err(why.to_string()),
            }
        }
        Err("the operator of the host changes it at the same time".into())
    }
}

//! Giving a running instance another configuration, and giving it back what it had.

use hookrail_model::error::{ApiMisuse, Error};
use serde_json::Value;

use super::core::Core;
use super::table::Stated;
use crate::config::key_of_instance;
use crate::plugin::configured;
use crate::secrets::{self, Resolved};

/// What an instance had before it was given another configuration: as it was, whatever files of secrets have by now.
#[derive(Debug)]
pub struct Former {
    /// The instance.
    pub instance: String,
    given: Resolved,
    stated: Stated,
}

impl Core {
    /// Hands a new configuration to a running instance.
    ///
    /// # Errors
    /// If it is not running, cannot reload, or refuses the configuration.
    pub fn reload(&self, instance: &str, config: &Value) -> Result<(), Error> {
        let set = |stated: &mut Stated| stated.set = Some(config.clone());
        self.give(instance, &configured(config).into(), set).map(drop)
    }

    /// As [`reload`](Self::reload), with what a configuration file says: it may name files of secrets.
    ///
    /// # Errors
    /// As for that, and if such a file cannot be read.
    pub fn reload_of_file(&self, instance: &str, config: &Value) -> Result<Former, Error> {
        let given = secrets::resolve(&configured(config), &key_of_instance(instance))?;
        self.give(instance, &given, |stated| *stated = Stated { set: None, of_file: Some(config.clone()) })
    }

    /// Gives an instance what it had.
    ///
    /// # Errors
    /// If it is not running, or refuses that by now.
    pub fn restore(&self, former: &Former) -> Result<(), Error> {
        self.give(&former.instance, &former.given, |stated| *stated = former.stated.clone()).map(drop)
    }

    /// What differs when the secrets differ that a loaded instance was given; `None` if it was given none.
    pub fn given_secrets(&self, instance: &str) -> Option<u64> {
        self.table.given_secrets(instance)
    }

    fn give(&self, instance: &str, given: &Resolved, state: impl FnOnce(&mut Stated)) -> Result<Former, Error> {
        let (owner, lifecycle) = self.table.running(instance)?;
        let loaded = lifecycle.lock();
        let not_loaded = || ApiMisuse::NotLoaded(instance.into());
        // Checked again: an upgrade that this call waited for has already asked for the state, and one that starts now
        // waits here and finds the new configuration.
        if self.table.running(instance)?.0 != owner {
            return Err(not_loaded().into());
        }
        let stated = self.table.stated(instance);
        let reloaded = || self.table.state(instance, state);
        let given = loaded.as_ref().ok_or_else(not_loaded)?.reload(instance, given, reloaded)?;
        Ok(Former { instance: instance.into(), given, stated })
    }
}

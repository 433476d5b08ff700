//! What the configuration file of the hosts declares: commands do not change it, since the next host would read it again.

use hookrail_engine::Config;
use hookrail_model::config::CallbackOverride;
use hookrail_model::installed::Kind;
use hookrail_store::{Depth, StoreError};

use super::Verbs;
use crate::error::Error;

impl Verbs<'_> {
    /// Refuses to change a plugin that hosts load because the file names it, and not because the store enables it.
    pub(super) fn is_not_declared(self, name: &str) -> Result<(), Error> {
        let Some(plugin) = self.core.config.plugins.get(name) else { return Ok(()) };
        let is_prebuilt = || {
            let listed = self.attached.store.listed(name, Depth::Metadata)?;
            Ok::<_, Error>(listed.is_some_and(|listed| listed.kind == Kind::Prebuilt))
        };
        let is_loaded_by_file = plugin.library.is_some() || is_prebuilt()?;
        match self.core.config.place_of(&format!("plugins.{name}")).filter(|_| is_loaded_by_file) {
            Some(place) => Err(refused(name, "it is declared".into(), place)),
            None => Ok(()),
        }
    }

    /// Refuses overrides that would have no effect in the next host, or already have none in this one.
    pub(super) fn are_not_declared(self, name: &str, overrides: &[CallbackOverride]) -> Result<(), Error> {
        self.is_not_declared(name)?;
        let config = &self.core.config;
        for CallbackOverride { point, callback, .. } in overrides {
            if let Some(key) = config.key_of_override(point, callback) {
                return Err(self.is_set(name, format!("{callback} is overridden"), &key));
            }
        }
        Ok(())
    }

    /// The error for a setting that the hosts' own configuration has under that key.
    pub(super) fn is_set(self, name: &str, what: String, key: &str) -> Error {
        is_set(&self.core.config, name, what, key)
    }
}

/// Refuses to move a plugin whose process the hosts' own configuration decides.
pub(crate) fn is_not_placed(config: &Config, name: &str) -> Result<(), Error> {
    match config.placed(name) {
        Some(_) => Err(is_set(config, name, "its process is chosen".into(), &format!("plugins.{name}.isolation"))),
        None => Ok(()),
    }
}

fn is_set(config: &Config, name: &str, what: String, key: &str) -> Error {
    refused(name, what, config.place_of(key).unwrap_or_else(|| "the host's own configuration".into()))
}

fn refused(name: &str, what: String, place: String) -> Error {
    Error::Store { plugin: name.into(), why: StoreError::declared(what, place) }
}

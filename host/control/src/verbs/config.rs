//! The configurations of plugins, in the store and in the host.

use hookrail_model::command::Reconfigured;
use hookrail_model::installed::{Configured, FormerConfig, Origin};
use hookrail_model::log;
use hookrail_model::view::Status;
use hookrail_store::{Change, StoreError};
use serde_json::Value;

use super::{Swap, Verbs};
use crate::error::Error;

/// How a configuration is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconfigure {
    /// Whether the same code is restarted with it.
    pub(crate) restart: bool,
    /// The revision that must still be the current one.
    pub(crate) if_revision: Option<u64>,
    pub(crate) swap: Swap,
}

impl Verbs<'_> {
    /// The configuration in effect, and where it comes from.
    pub(crate) fn config(self, name: &str) -> Result<Configured, Error> {
        let configured = self.attached.store.configuration(name)?;
        Ok(match self.host_says(name) {
            Some(value) => Configured::new(value, Origin::Host, 0, None),
            None => configured,
        })
    }

    /// The schema that a loaded plugin exports; else that of the package or of the prebuilt library.
    pub(crate) fn config_schema(self, name: &str) -> Result<Option<Value>, Error> {
        match self.core.table.schema(name).and_then(|schema| serde_json::from_str(schema.text()).ok()) {
            Some(schema) => Ok(Some(schema)),
            None => Ok(self.attached.store.schema(name)?),
        }
    }

    pub(crate) fn config_history(self, name: &str) -> Result<Vec<FormerConfig>, Error> {
        Ok(self.attached.store.history(name)?)
    }

    /// Sets another configuration. If the plugin runs, its instance accepts or refuses it first, either by a reload or
    /// as the next generation of the same code.
    pub(crate) fn configure(self, name: &str, config: Value, how: Reconfigure) -> Result<Reconfigured, Error> {
        let Reconfigure { restart, if_revision, swap } = how;
        let mut change = self.may_configure(name, if_revision)?;
        let before = self.attached.store.load_spec(name)?;
        let status = self.core.table.status(name);
        let runs = self.attached.is_live && matches!(status, Some(Status::Halted | Status::Running));
        let (mut upgraded, mut is_reloaded) = (None, false);
        let configured = change.configure::<Error>(name, config, |config| {
            match (runs, restart) {
                (false, _) => {}
                (true, true) => {
                    let mut spec = before.clone();
                    spec.config = config.clone();
                    upgraded = self.replace(spec, swap)?;
                }
                (true, false) => {
                    self.core.reload(name, config)?;
                    is_reloaded = true;
                }
            }
            Ok(())
        });
        let (configured, changed) = configured.inspect_err(|_| {
            self.go_back(upgraded.as_ref());
            if is_reloaded {
                self.reload_again(name);
            }
        })?;
        drop(change);
        if status == Some(Status::Stopped) {
            // If it is loaded, its next start uses the new configuration.
            self.core.table.set_configuration(name, &configured.value);
        }
        Ok(Reconfigured::new(changed, configured, self.waited(upgraded, swap)))
    }

    /// Keeps the configuration that a plugin has written itself, and returns its revision; `None` if it is not in the
    /// store. The plugin is not asked: it knows what it has written.
    pub(crate) fn keep_own(self, name: &str, config: &Value, if_revision: Option<u64>) -> Result<Option<u64>, Error> {
        match self.may_configure(name, if_revision) {
            Err(Error::Store { why: StoreError::NotInstalled, .. }) => Ok(None),
            Err(error) => Err(error),
            Ok(mut change) => Ok(Some(change.keep_own(name, config.clone())?)),
        }
    }

    /// Begins a change of a configuration that is in the store and not in a file, if the revision is still that one.
    fn may_configure(&self, name: &str, if_revision: Option<u64>) -> Result<Change<'_>, Error> {
        if self.host_says(name).is_some() {
            return Err(self.is_set(name, "it is configured".into(), &format!("plugins.{name}.config")));
        }
        self.is_not_declared(name)?;
        let change = self.attached.store.change()?;
        let revision = self.attached.store.configuration(name)?.revision;
        match if_revision {
            Some(expected) if expected != revision => {
                let why = StoreError::config_changed(expected, revision);
                Err(Error::Store { plugin: name.into(), why })
            }
            _ => Ok(change),
        }
    }

    /// Reloads an instance with what the store holds, after it accepted a configuration that could not be stored.
    fn reload_again(self, name: &str) {
        let reload = || Ok::<_, Error>(self.core.reload(name, &self.attached.store.load_spec(name)?.config)?);
        if let Err(error) = reload() {
            log!(error, plugin = name, "it runs with another configuration than the one set: {error}");
        }
    }
}

//! What the operator says of callbacks while they are called, in the store and in the host.

use hookrail_dispatch::view;
use hookrail_model::command::SetCallback;
use hookrail_model::config::CallbackOverride;
use hookrail_model::error::ApiMisuse;
use hookrail_model::instance::plugin_of;
use hookrail_model::log;
use hookrail_store::{State, StoreError};

use super::Verbs;
use crate::error::{ControlError, Error};

impl Verbs<'_> {
    /// Changes what is said of one callback. It is not unloaded meanwhile, nor is any other.
    pub(crate) fn set_callback(self, command: &SetCallback) -> Result<(), Error> {
        let SetCallback { point, callback, .. } = command;
        if !command.changes_anything() {
            let why = "nothing is to be changed: `priority`, `enabled`, `fault_policy` or `default` says what".into();
            return Err(ControlError::BadRequest(why).into());
        }
        let mut change = self.attached.store.change()?;
        self.is_callback(point, callback, change.state())?;
        let name = plugin_of_callback(callback);
        if let Some(key) = self.core.config.key_of_override(point, callback) {
            return Err(self.is_set(name, format!("{callback} is overridden"), &key));
        }
        let mut overrides = change.state().settings(name).overrides;
        let known = overrides.iter().position(|hook| (&hook.point, &hook.callback) == (point, callback));
        let before = known.map(|known| overrides.remove(known));
        let next = command.applied_to(before.unwrap_or_else(|| CallbackOverride::new(point, callback)));
        if next != CallbackOverride::new(point, callback) {
            overrides.insert(known.unwrap_or(overrides.len()), next);
        }
        change
            .override_callbacks::<Error>(name, overrides, |spec| self.override_running(name, &spec.overrides))
            .inspect_err(|_| self.override_as_stored(name))?;
        Ok(())
    }

    /// Has what the store says of their callbacks apply to the plugins that were loaded before it was opened.
    pub(crate) fn override_loaded(self) -> Result<(), Error> {
        let state = self.attached.store.state()?;
        for plugin in self.core.table.views() {
            let overrides = state.settings(&plugin.name).overrides;
            if !overrides.is_empty() {
                self.override_running(&plugin.name, &overrides)?;
            }
        }
        Ok(())
    }

    /// As the host runs it: not at all if the plugin is not loaded.
    pub(super) fn override_running(self, name: &str, overrides: &[CallbackOverride]) -> Result<(), Error> {
        match self.core.table.plugin(name).filter(|_| self.attached.is_live) {
            Some(plugin) => Ok(self.core.override_callbacks(&plugin, overrides)?),
            None => Ok(()),
        }
    }

    /// After the host was changed and the store could not be.
    pub(super) fn override_as_stored(self, name: &str) {
        let back = || self.override_running(name, &self.attached.store.state()?.settings(name).overrides);
        if let Err(error) = back() {
            log!(error, plugin = name, "its callbacks are not as the store says: {error}");
        }
    }

    /// Refuses what nobody can say anything of: an unknown point, or a callback that is neither in its chain nor
    /// declared by its plugin.
    fn is_callback(self, point: &str, callback: &str, state: &State) -> Result<(), Error> {
        let points = view::points(&self.core.registry);
        let view = points.iter().find(|view| view.point == point).ok_or_else(|| ApiMisuse::NoPoint(point.into()))?;
        let name = plugin_of_callback(callback);
        match view.chain.iter().any(|there| there.callback == callback) {
            true if self.core.table.plugin(name).is_some() => Ok(()),
            true if state.settings(name).enabled => Ok(()),
            true => {
                let why = StoreError::declared(format!("{callback} is registered"), "the program itself");
                Err(Error::Store { plugin: name.into(), why })
            }
            false => {
                let instances = self.core.config.instances(name);
                let declared = self.attached.store.declared(state, name).map(|declared| declared.hooks);
                let is_it = |(instance, own): (&str, &str)| {
                    instances.iter().any(|(known, _)| known == instance)
                        && declared.iter().flatten().any(|hook| hook.point == point && hook.name == own)
                };
                if callback.split_once('/').is_some_and(is_it) {
                    return Ok(());
                }
                Err(ApiMisuse::no_callback(point, callback).into())
            }
        }
    }
}

fn plugin_of_callback(callback: &str) -> &str {
    plugin_of(callback.split_once('/').map_or(callback, |(instance, _)| instance))
}

//! What the operator says of callbacks while they are called, in the store and in the host.

use hookrail_model::command::SetCallback;
use hookrail_model::config::CallbackOverride;
use hookrail_model::error::ApiMisuse;
use hookrail_model::instance::plugin_of;
use hookrail_model::log;
use hookrail_model::view::PluginView;
use hookrail_store::{Change, State, StoreError};

use super::{NotLoaded, Verbs};
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
        self.override_in(&mut change, name, overrides)
    }

    /// Has other overrides apply to a plugin: in the host, where its callbacks go on being called meanwhile, and in the
    /// store.
    pub(super) fn override_in(
        self,
        change: &mut Change<'_>,
        name: &str,
        overrides: Vec<CallbackOverride>,
    ) -> Result<(), Error> {
        let mut is_amended = false;
        let overridden = change.override_callbacks::<Error>(name, overrides, |overrides| {
            self.override_running(name, overrides)?;
            is_amended = true;
            Ok(())
        });
        if overridden.is_err() && is_amended {
            self.override_as_stored(name);
        }
        overridden.map(drop)
    }

    /// Has what the store says of their callbacks apply to the plugins that were loaded before it was opened. Returns
    /// those to which it does not apply.
    pub(super) fn override_loaded(self) -> Result<Vec<NotLoaded>, Error> {
        let state = self.attached.store.state()?;
        let mut failed = Vec::new();
        for PluginView { name: plugin, .. } in self.core.table.views() {
            let overrides = state.settings(&plugin).overrides;
            if !overrides.is_empty()
                && let Err(error) = self.settle(&plugin).and_then(|()| self.override_running(&plugin, &overrides))
            {
                failed.push(NotLoaded { plugin, error });
            }
        }
        Ok(failed)
    }

    /// As the host runs it, or what stands in for it.
    fn override_running(self, name: &str, overrides: &[CallbackOverride]) -> Result<(), Error> {
        if self.attached.is_live {
            self.core.override_callbacks(name, overrides)?;
        }
        Ok(())
    }

    /// After the host was changed and the store could not be.
    fn override_as_stored(self, name: &str) {
        let back = || self.override_running(name, &self.attached.store.state()?.settings(name).overrides);
        if let Err(error) = back() {
            log!(error, plugin = name, "its callbacks are not as the store says: {error}");
        }
    }

    /// Refuses what nobody can say anything of: an unknown point, or a callback that is neither in its chain nor
    /// declared by its plugin. What is said already can be taken back, whatever is there by now.
    fn is_callback(self, point: &str, callback: &str, state: &State) -> Result<(), Error> {
        if self.core.registry.point(point).is_none() {
            return Err(ApiMisuse::NoPoint(point.into()).into());
        }
        let name = plugin_of_callback(callback);
        if state.settings(name).overrides.iter().any(|hook| (&*hook.point, &*hook.callback) == (point, callback)) {
            return Ok(());
        }
        match self.is_of_plugin(point, callback) {
            Some(true) => Ok(()),
            Some(false) => {
                let why = StoreError::declared(format!("{callback} is registered"), "the program itself");
                Err(Error::Store { plugin: name.into(), why })
            }
            None => {
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

    /// Whether a callback in the chain of a point is one of a plugin, and not of the program; `None` if it is not there.
    fn is_of_plugin(self, point: &str, callback: &str) -> Option<bool> {
        let mut found = None;
        self.core.registry.each(|look| {
            if look.state.chain.facts.point == point {
                let there = look.callbacks.iter().find(|there| there.full_name() == callback);
                found = there.map(|there| there.generation.is_some());
            }
        });
        found
    }
}

fn plugin_of_callback(callback: &str) -> &str {
    plugin_of(callback.split_once('/').map_or(callback, |(instance, _)| instance))
}

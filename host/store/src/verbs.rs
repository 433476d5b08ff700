//! The operator's verbs that need no package: each happens as a whole, or not at all.

use std::time::{Duration, SystemTime};

use hookrail_abi::Priority;
use hookrail_model::config::CallbackOverride;
use hookrail_model::error::ConfigError;
use hookrail_model::installed::Allowance;
use hookrail_model::instance::plugin_of;
use hookrail_model::isolation::Isolation;
use hookrail_model::package::{Digest, check_name};
use hookrail_model::time::rfc3339;
use semver::Version;

use crate::change::Change;
use crate::config::purge;
use crate::error::{Error, StoreError, refused};
use crate::library::LoadSpec;
use crate::requires::Among;
use crate::state::{InstalledPlugin, MAX_ALLOWANCE};

impl Change<'_> {
    /// Enables a plugin, so that hosts load it; returns whether that is a change. A host that would load it may refuse
    /// through `agree`.
    ///
    /// # Errors
    /// If the plugin is not what was installed, is no longer trusted, does not fit its configuration, or `agree`
    /// refuses.
    pub fn enable<E: From<Error>>(
        &mut self,
        name: &str,
        agree: impl FnOnce(&LoadSpec) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.is_there(name)?;
        if self.state.settings(name).enabled {
            return Ok(false);
        }
        if let Ok((_, version, installed)) = self.state.installed(name) {
            let metadata = self.examine(name, version, installed)?;
            self.fits_in(&self.store.place(name, version), &metadata)?;
            self.has_what_it_needs(&metadata)?;
        } else {
            self.prebuilt_fits(name)?;
        }
        agree(&self.load_spec(name)?)?;
        self.desire(name, |desired| desired.enabled = true)?;
        Ok(true)
    }

    /// Disables a plugin, so that hosts do not load it; returns whether that is a change.
    ///
    /// # Errors
    /// If other plugins require it, or writing fails.
    pub fn disable(&mut self, name: &str) -> Result<bool, Error> {
        self.is_there(name)?;
        if !self.state.settings(name).enabled {
            return Ok(false);
        }
        self.is_not_needed(name, Among::Enabled, None)?;
        self.desire(name, |desired| desired.enabled = false)?;
        Ok(true)
    }

    /// Says what is changed about the callbacks of a plugin; returns whether that is new. A host that runs it may refuse
    /// through `agree`, which is called in any case: what runs may be under other ones.
    ///
    /// # Errors
    /// If the plugin is not there, if overrides that are new cannot be, if they cannot be written, or what `agree` says.
    pub fn override_callbacks<E: From<Error>>(
        &mut self,
        name: &str,
        overrides: Vec<CallbackOverride>,
        agree: impl FnOnce(&[CallbackOverride]) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.is_there(name)?;
        self.can_be(name, &overrides)?;
        agree(&overrides)?;
        if self.state.settings(name).overrides == overrides {
            return Ok(false);
        }
        self.desire(name, |desired| desired.overrides = overrides)?;
        Ok(true)
    }

    /// Has hosts run a plugin in that process; returns whether that is new. A host that runs it may refuse through `agree`,
    /// which is called in any case: what runs may have been moved elsewhere.
    ///
    /// # Errors
    /// If the plugin is not there, `agree` refuses, or writing fails.
    pub fn isolate<E: From<Error>>(
        &mut self,
        name: &str,
        isolation: Isolation,
        agree: impl FnOnce() -> Result<(), E>,
    ) -> Result<bool, E> {
        self.is_there(name)?;
        agree()?;
        let isolation = Some(isolation);
        if self.state.settings(name).isolation == isolation {
            return Ok(false);
        }
        self.desire(name, |desired| desired.isolation = isolation)?;
        Ok(true)
    }

    /// Refuses what never can be, and a new override of what a plugin does not have. One that is stored already may be of
    /// a callback that another version has.
    fn can_be(&self, name: &str, overrides: &[CallbackOverride]) -> Result<(), Error> {
        validate(name, overrides)?;
        let stored = self.state.settings(name).overrides;
        let mut new = overrides.iter().filter(|hook| !stored.contains(hook)).peekable();
        if new.peek().is_none() {
            return Ok(());
        }
        let declared = self.store.declared(&self.state, name)?.hooks;
        let is_there = |hook: &&CallbackOverride| {
            let own = hook.callback.split_once('/').map(|(_, own)| own);
            declared.iter().any(|there| there.point == hook.point && Some(&*there.name) == own)
        };
        new.find(|hook| !is_there(hook)).map_or(Ok(()), |hook| Err(no_callback(name, hook)))
    }

    /// Swaps the current version with the previous one; returns both, the new current one first. A host that uses the
    /// plugin may refuse the other library through `agree`; then nothing is changed.
    ///
    /// # Errors
    /// If there is no previous version, it cannot be used, or `agree` refuses.
    pub fn rollback<E: From<Error>>(
        &mut self,
        name: &str,
        agree: impl FnOnce(&LoadSpec) -> Result<(), E>,
    ) -> Result<(Version, Version), E> {
        let (plugin, current, _) = self.state.installed(name)?;
        let previous = plugin.previous.as_ref().ok_or_else(|| refused(name, StoreError::NoPrevious))?;
        let metadata = self.examine(name, previous, &plugin.versions[previous])?;
        if self.state.settings(name).enabled {
            self.fits_in(&self.store.place(name, previous), &metadata)?;
            self.has_what_it_needs(&metadata)?;
            self.is_not_needed(name, Among::Enabled, Some(previous))?;
        }
        let (current, previous) = (current.clone(), previous.clone());
        agree(&self.store.load_spec_of(&self.state, &metadata)?)?;
        let mut state = self.state.clone();
        let plugin = state.plugins.get_mut(name).expect("it is installed");
        // INVARIANT: both are installed.
        std::mem::swap(&mut plugin.current, &mut plugin.previous);
        self.write(state)?;
        Ok((previous, current))
    }

    /// Removes a plugin, enabled or not; returns the version that was current, if there was one. Its configuration and
    /// the owner of its name are kept, unless it is purged.
    ///
    /// # Errors
    /// If it is not installed, or other plugins require it.
    pub fn uninstall(&mut self, name: &str, purge: bool) -> Result<Option<Version>, Error> {
        let current = match self.state.installed(name) {
            Ok((_, version, _)) => {
                self.is_not_needed(name, Among::Installed, None)?;
                Some(version.clone())
            }
            // A purge removes what an earlier uninstall has left, and what a crash has left of a purge.
            Err(_) if purge && self.leaves_anything(name) => None,
            Err(error) => return Err(error),
        };
        let mut state = self.state.clone();
        // The settings for it must not apply to a prebuilt plugin of the same name.
        state.settings.remove(name);
        if purge {
            state.plugins.remove(name);
        } else if let Some(plugin) = state.plugins.get_mut(name) {
            let owner = plugin.owner;
            // INVARIANT: nothing of it is installed.
            *plugin = InstalledPlugin { owner, ..InstalledPlugin::new(plugin.newest.clone()) };
        }
        if purge {
            purge::mark(self.store, name).inspect_err(|_| self.collect())?;
        }
        self.write(state)?;
        Ok(current)
    }

    /// Allows exactly one file to be installed once, whoever signed it, for a limited time: at most [`MAX_ALLOWANCE`].
    ///
    /// # Errors
    /// If writing fails.
    pub fn allow(&mut self, name: &str, version: Version, sha256: Digest, lasts: Duration) -> Result<Allowance, Error> {
        let until = rfc3339(SystemTime::now() + lasts.min(MAX_ALLOWANCE));
        let allowance = Allowance::new(name, version, sha256, until);
        let mut state = self.state.clone();
        state.allowances.retain(|known| known.sha256 != sha256);
        state.allowances.push(allowance.clone());
        self.write(state)?;
        Ok(allowance)
    }

    /// Whether anything is left of a name that is not installed.
    fn leaves_anything(&self, name: &str) -> bool {
        let is_name = check_name(name).is_ok();
        is_name && (self.state.plugins.contains_key(name) || self.store.config(name).exists())
    }
}

/// Refuses what cannot be said of the callbacks of a plugin, whatever it declares: what no list of overrides may
/// hold, callbacks of others, and priorities that nobody may have.
pub fn validate(name: &str, overrides: &[CallbackOverride]) -> Result<(), Error> {
    CallbackOverride::check(overrides)?;
    overrides.iter().try_for_each(|hook| {
        if hook.callback.split_once('/').is_none_or(|(instance, _)| plugin_of(instance) != name) {
            return Err(no_callback(name, hook));
        }
        match hook.priority.filter(|priority| Priority::checked(*priority).is_none()) {
            Some(priority) => {
                let (point, callback) = (hook.point.clone(), hook.callback.clone());
                Err(ConfigError::reserved_priority(point, callback, priority).into())
            }
            None => Ok(()),
        }
    })
}

fn no_callback(name: &str, hook: &CallbackOverride) -> Error {
    refused(name, StoreError::NoCallback { callback: hook.callback.clone(), point: hook.point.clone() })
}

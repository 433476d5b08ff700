//! The management commands as functions.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::{
    Applied, Changed, Command, Desire, Ended, Installed, PluginDetail, Program, Reconfigured, Replaced, Staged, Taken,
    Uninstalled, Validated,
};
use crate::diagnostics::LogLevel;
use crate::package::Digest;
use crate::stats::{Level, Trace};
use crate::store::{Allowance, Configured, FormerConfig, Version};
use crate::view::{PluginView, PointView};

/// Management: a function for each command that has one answer, each with its usual choices.
/// [`ask`](Self::ask) with the [`Command`] has the others. What has many answers,
/// [`events`](super::Client::events), is a function of the client alone.
///
/// A [`Client`](super::Client) has a host do it that runs, an [`Offline`](super::Offline) does it to what is
/// installed, and refuses what needs a host.
pub trait Manage {
    /// Why something was not done.
    type Error;

    /// Has a command carried out; the answer in the form that [`Command`] says.
    fn ask<T: DeserializeOwned>(&mut self, command: &Command) -> Result<T, Self::Error>;

    /// Lets exactly one file be installed once, whoever signed it: for so long, a day at most.
    fn allow(
        &mut self,
        plugin: &str,
        version: Version,
        sha256: Digest,
        lasts: Duration,
    ) -> Result<Allowance, Self::Error> {
        let lasts_ms = lasts.as_millis() as u64;
        self.ask(&Command::Allow { plugin: plugin.into(), version, sha256, lasts_ms })
    }

    /// Installs, configures, enables and disables what is not so yet; or says what that would be.
    fn apply(&mut self, plugins: BTreeMap<String, Desire>, dry_run: bool) -> Result<Applied, Self::Error> {
        self.ask(&Command::Apply { plugins, dry_run })
    }

    /// What a plugin is configured with.
    fn config(&mut self, plugin: &str) -> Result<Configured, Self::Error> {
        self.ask(&Command::Config { plugin: plugin.into() })
    }

    /// What a plugin was configured with before, the newest first.
    fn config_history(&mut self, plugin: &str) -> Result<Vec<FormerConfig>, Self::Error> {
        self.ask(&Command::ConfigHistory { plugin: plugin.into() })
    }

    /// The JSON Schema of a plugin's configuration, if it has one.
    fn config_schema(&mut self, plugin: &str) -> Result<Option<Value>, Self::Error> {
        self.ask(&Command::ConfigSchema { plugin: plugin.into() })
    }

    /// Configures a plugin; where it runs it takes that at once, or refuses it.
    fn configure(&mut self, plugin: &str, config: Value) -> Result<Reconfigured, Self::Error> {
        self.ask(&Command::Configure { plugin: plugin.into(), config, restart: false, wait_ms: None })
    }

    /// Says that hosts shall not load a plugin, and unloads it.
    fn disable(&mut self, plugin: &str) -> Result<Changed, Self::Error> {
        self.ask(&Command::Disable { plugin: plugin.into(), wait_ms: None })
    }

    /// Says that hosts shall load a plugin, and loads it.
    fn enable(&mut self, plugin: &str) -> Result<Changed, Self::Error> {
        self.ask(&Command::Enable { plugin: plugin.into() })
    }

    /// All points with their chains.
    fn hooks(&mut self) -> Result<Vec<PointView>, Self::Error> {
        self.ask(&Command::Hooks { point: None })
    }

    /// Installs the package at an absolute path; where another version of the plugin runs, the new one takes
    /// its place.
    fn install(&mut self, file: impl Into<PathBuf>) -> Result<Installed, Self::Error> {
        let (plugin, dry_run, downgrade, fresh, wait_ms) = (None, false, false, false, None);
        self.ask(&Command::Install { file: file.into(), plugin, dry_run, downgrade, fresh, wait_ms })
    }

    /// The plugins that are loaded or installed.
    fn list(&mut self) -> Result<Vec<PluginView>, Self::Error> {
        self.ask(&Command::List { verify: false })
    }

    /// Loads a plugin from an absolute path.
    fn load(&mut self, file: impl Into<PathBuf>) -> Result<PluginView, Self::Error> {
        self.ask(&Command::Load { file: file.into() })
    }

    /// Has a quarantined callback (`instance/callback`) called again.
    fn release(&mut self, point: &str, callback: &str) -> Result<PointView, Self::Error> {
        self.ask(&Command::Release { point: point.into(), callback: callback.into() })
    }

    /// Stops a plugin and starts it again: the same code, without what it has in mind.
    fn restart(&mut self, plugin: &str) -> Result<PluginView, Self::Error> {
        self.ask(&Command::Restart { plugin: plugin.into() })
    }

    /// Returns to the version that was installed before; where the current one runs, it takes its place.
    fn rollback(&mut self, plugin: &str) -> Result<Changed, Self::Error> {
        self.ask(&Command::Rollback { plugin: plugin.into(), fresh: false, wait_ms: None })
    }

    /// How closely the dispatches of a point are looked at from now on.
    fn set_level(&mut self, point: &str, level: Level) -> Result<PointView, Self::Error> {
        self.ask(&Command::Level { point: point.into(), level })
    }

    /// Says how much a plugin tells by `tracing` and `log` from now on.
    fn set_log(&mut self, plugin: &str, level: LogLevel) -> Result<PluginView, Self::Error> {
        self.ask(&Command::Log { plugin: plugin.into(), level })
    }

    /// One plugin, with its callbacks and former generations.
    fn show(&mut self, plugin: &str) -> Result<PluginDetail, Self::Error> {
        self.ask(&Command::Show { plugin: plugin.into() })
    }

    /// Checks the package at an absolute path as if to install it, and keeps it at hand for an hour.
    fn stage(&mut self, file: impl Into<PathBuf>) -> Result<Staged, Self::Error> {
        self.ask(&Command::Stage { file: file.into() })
    }

    /// Starts a stopped plugin, or one that is enabled and not loaded.
    fn start(&mut self, plugin: &str) -> Result<PluginView, Self::Error> {
        self.ask(&Command::Start { plugin: plugin.into() })
    }

    /// The program that the host is in, and what it says of itself.
    fn status(&mut self) -> Result<Program, Self::Error> {
        self.ask(&Command::Status)
    }

    /// Stops a plugin, and keeps its library.
    fn stop(&mut self, plugin: &str) -> Result<PluginView, Self::Error> {
        self.ask(&Command::Stop { plugin: plugin.into() })
    }

    /// Installs what lies in the drop-in folder of the home.
    fn take_in(&mut self) -> Result<Vec<Taken>, Self::Error> {
        self.ask(&Command::TakeIn)
    }

    /// Traces the next dispatches of a point: so many, from 1 to 1,000, or those that come within the time that
    /// the host sees fit.
    fn trace(&mut self, point: &str, count: usize) -> Result<Vec<Trace>, Self::Error> {
        self.ask(&Command::Trace { point: point.into(), count, condition: None, wait_ms: None })
    }

    /// Disables a plugin, and removes its files; its configuration stays.
    fn uninstall(&mut self, plugin: &str) -> Result<Uninstalled, Self::Error> {
        self.ask(&Command::Uninstall { plugin: plugin.into(), purge: false, wait_ms: None })
    }

    /// Unloads a plugin, and waits for the end as the host sees fit.
    fn unload(&mut self, plugin: &str) -> Result<Ended, Self::Error> {
        self.ask(&Command::Unload { plugin: plugin.into(), wait_ms: None })
    }

    /// Replaces a plugin by the library at an absolute path. Waits for the end of the old generation as the
    /// host sees fit.
    fn upgrade(&mut self, plugin: &str, file: impl Into<PathBuf>) -> Result<Replaced, Self::Error> {
        self.ask(&Command::Upgrade { plugin: plugin.into(), file: file.into(), fresh: false, wait_ms: None })
    }

    /// Whether the package at an absolute path would work here, and who vouches for it.
    fn validate(&mut self, file: impl Into<PathBuf>) -> Result<Validated, Self::Error> {
        self.ask(&Command::Validate { file: file.into() })
    }
}

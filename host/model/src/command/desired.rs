//! What should be installed, and what was done about it.

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::CallbackOverride;
use crate::constructors;
use crate::installed::Installation;
use crate::wire::Problem;

/// The wanted state of one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PluginSpec {
    /// The package to install, unless that very file is already installed; if none is given, the plugin must be
    /// installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PathBuf>,
    /// Whether the package may be older than one installed before.
    #[serde(default)]
    pub downgrade: bool,
    /// Whether hosts load it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its configuration; if none is given, it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Whether the same code is restarted to change the configuration, for plugins that read it only at start.
    #[serde(default)]
    pub restart: bool,
    /// All overrides of its callbacks; if none are given, they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Vec<CallbackOverride>>,
}

/// Enabled, and otherwise as it is.
impl Default for PluginSpec {
    fn default() -> Self {
        PluginSpec { package: None, downgrade: false, enabled: true, config: None, restart: false, overrides: None }
    }
}

impl PluginSpec {
    /// An enabled plugin that is otherwise as it is.
    pub fn new() -> Self {
        PluginSpec::default()
    }

    /// Of the package at an absolute path.
    #[must_use]
    pub fn package(mut self, file: impl Into<PathBuf>) -> Self {
        self.package = Some(file.into());
        self
    }

    /// Even if a newer version was installed before.
    #[must_use]
    pub fn downgrade(mut self) -> Self {
        self.downgrade = true;
        self
    }

    /// Hosts do not load it.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// With that configuration.
    #[must_use]
    pub fn config(mut self, config: impl Into<Value>) -> Self {
        self.config = Some(config.into());
        self
    }

    /// Restarts the same code to change its configuration.
    #[must_use]
    pub fn restart(mut self) -> Self {
        self.restart = true;
        self
    }

    /// With these overrides of its callbacks, and no others.
    #[must_use]
    pub fn overrides(mut self, overrides: impl IntoIterator<Item = CallbackOverride>) -> Self {
        self.overrides = Some(overrides.into_iter().collect());
        self
    }
}

fn yes() -> bool {
    true
}

/// The steps that were performed to reach the wanted state, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// In order.
    pub steps: Vec<Step>,
    /// Whether the steps were only simulated.
    pub dry_run: bool,
    /// The plugin at which it stopped early.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Problem>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// The plugin.
    pub plugin: String,
    /// What was done to it.
    #[serde(flatten)]
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Sets another configuration.
    Configure,
    /// Hosts no longer load it.
    Disable,
    /// Hosts load it.
    Enable,
    /// Installs a package.
    #[non_exhaustive]
    Install {
        /// The version in it.
        version: Version,
        /// The version that it replaces.
        replaces: Option<Version>,
    },
    /// Sets other overrides of its callbacks.
    Override,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// A file of the drop-in directory, and what was done with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImportResult {
    /// Its name.
    pub file: PathBuf,
    /// What was installed, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub installation: Option<Installation>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Problem>,
    /// Whether it stays there to be tried again: it or its signature may still be on its way, or its plugin is busy.
    #[serde(default)]
    pub waiting: bool,
}

constructors! {
    /// What was reached before anything failed.
    Applied(steps: Vec<Step>, dry_run: bool) { failed: None, error: None }

    /// What was done to a plugin.
    Step(plugin: impl Into<String>, action: Action)
}

impl ImportResult {
    /// A file that was installed.
    pub fn installed(file: impl Into<PathBuf>, installation: Installation) -> Self {
        ImportResult { file: file.into(), installation: Some(installation), error: None, waiting: false }
    }

    /// A file that was refused.
    pub fn refused(file: impl Into<PathBuf>, error: Problem) -> Self {
        ImportResult { file: file.into(), installation: None, error: Some(error), waiting: false }
    }

    /// A file that cannot be installed yet.
    pub fn waiting(file: impl Into<PathBuf>, error: Problem) -> Self {
        ImportResult { waiting: true, ..ImportResult::refused(file, error) }
    }
}

constructors! {
    Action: install = Install(version: Version, replaces: Option<Version>),
}

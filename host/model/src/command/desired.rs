//! What should be installed, and what was done about it.

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::CallbackOverride;
use crate::installed::Installation;
use crate::wire::Problem;

/// The wanted state of one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

fn yes() -> bool {
    true
}

/// The steps that were performed to reach the wanted state, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub enum Action {
    /// Sets another configuration.
    Configure,
    /// Hosts no longer load it.
    Disable,
    /// Hosts load it.
    Enable,
    /// Installs a package.
    Install {
        /// The version in it.
        version: Version,
        /// The version that it replaces.
        replaces: Option<Version>,
    },
    /// Sets other overrides of its callbacks.
    Override,
}

/// A file of the drop-in directory, and what was done with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportResult {
    /// Its name.
    pub file: PathBuf,
    /// What was installed, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub installation: Option<Installation>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Problem>,
}

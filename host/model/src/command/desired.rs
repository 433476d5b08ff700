//! What shall be installed, and what came of that.

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::CallbackOverride;
use crate::installed::Installation;
use crate::wire::Problem;

/// What is wanted of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSpec {
    /// The package to install, unless that very file is installed already; without one the plugin has to be
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PathBuf>,
    /// Whether the package may be older than one that was installed before.
    #[serde(default)]
    pub downgrade: bool,
    /// Whether hosts shall load it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its configuration; without one it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Whether the same code runs anew with another configuration, for plugins that take one only then.
    #[serde(default)]
    pub restart: bool,
    /// What is changed about its callbacks, all of it; without this it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Vec<CallbackOverride>>,
}

fn yes() -> bool {
    true
}

/// What was done so that what is wanted is so, or would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// In the order in which it was done.
    pub steps: Vec<Step>,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The plugin at which it ended before its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<String>,
    /// Why.
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
    /// Another configuration.
    Configure,
    /// Hosts load it no more.
    Disable,
    /// Hosts load it.
    Enable,
    /// A package is installed.
    Install {
        /// The version in it.
        version: Version,
        /// The version in whose place it comes.
        replaces: Option<Version>,
    },
    /// Something else is changed about its callbacks.
    Override,
}

/// A file of the drop-in directory, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportResult {
    /// Its name.
    pub file: PathBuf,
    /// What was installed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub installation: Option<Installation>,
    /// Why nothing was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Problem>,
}

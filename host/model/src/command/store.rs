//! What is installed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{Applied, Changed, ImportResult, Installed, PluginSpec, Staged, Uninstalled, Validated, command};
use crate::installed::Allowance;
use crate::package::Digest;

/// Lets exactly one file be installed once, whoever signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: Version,
    /// The SHA-256 of the package.
    pub sha256: Digest,
    /// For how long, a day at most.
    pub lasts_ms: u64,
}

/// Installs, configures, enables and disables what is not so yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// What is wanted, by plugin; of those that are not named nothing is.
    pub plugins: BTreeMap<String, PluginSpec>,
    /// Does nothing, and answers what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Says that hosts shall not load a plugin, and unloads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disable {
    /// Its name.
    pub plugin: String,
    /// How long to wait for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Says that hosts shall load a plugin, and loads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// Its name.
    pub plugin: String,
}

/// Installs a package; where another version of the plugin runs, the new one takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The package.
    pub file: PathBuf,
    /// The plugin that has to be in it, and to be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Checks all, and installs nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Installs it although a newer version was installed before.
    #[serde(default)]
    pub downgrade: bool,
    /// Leaves the state of what runs behind.
    #[serde(default)]
    pub fresh: bool,
    /// How long to wait for the end of the old generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Returns to the version that was installed before; where the current one runs, it takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The plugin.
    pub plugin: String,
    /// Leaves the state of what runs behind.
    #[serde(default)]
    pub fresh: bool,
    /// How long to wait for the end of the old generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Checks a package as if to install it, and keeps it at hand for an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The package.
    pub file: PathBuf,
}

/// Installs the packages in the directory `incoming` of the home, in the order of their names; where one is of
/// a plugin that runs, it takes its place.
///
/// What was installed is removed there. What is refused goes to `incoming/refused`, with the reason beside it; what
/// may not be complete yet is left for the next time, and so is what is of a plugin that something else is being
/// done to, and all while another process changes what is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportIncoming {}

/// Disables a plugin, and removes its files; its configuration stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uninstall {
    /// The plugin.
    pub plugin: String,
    /// Removes its configuration too, and forgets whose name it is.
    #[serde(default)]
    pub purge: bool,
    /// How long to wait for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Whether a package would work here, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validate {
    /// The package.
    pub file: PathBuf,
}

command!(Allow, "allow", NOTHING, Allowance);
command!(Apply, "apply", PLUGINS, Applied);
command!(Disable, "disable", PLUGINS, Changed, wait_ms);
command!(Enable, "enable", PLUGINS, Changed);
command!(Install, "install", PLUGINS, Installed, wait_ms);
command!(Rollback, "rollback", PLUGINS, Changed, wait_ms);
command!(Stage, "stage", NOTHING, Staged);
command!(ImportIncoming, "import-incoming", PLUGINS, Vec<ImportResult>);
command!(Uninstall, "uninstall", PLUGINS, Uninstalled, wait_ms);
command!(Validate, "validate", NOTHING, Validated);

impl Allow {
    /// That file, for so long.
    pub fn new(plugin: impl Into<String>, version: Version, sha256: Digest, lasts: Duration) -> Self {
        Allow { plugin: plugin.into(), version, sha256, lasts_ms: lasts.as_millis() as u64 }
    }
}

impl Apply {
    /// What is wanted, by plugin.
    pub fn new(plugins: BTreeMap<String, PluginSpec>) -> Self {
        Apply { plugins, dry_run: false }
    }
}

impl Disable {
    /// That plugin; waits for the end as the host sees fit.
    pub fn new(plugin: impl Into<String>) -> Self {
        Disable { plugin: plugin.into(), wait_ms: None }
    }
}

impl Enable {
    /// That plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Enable { plugin: plugin.into() }
    }
}

impl Install {
    /// The package at an absolute path, with the state of what runs, waiting as the host sees fit.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Install { file: file.into(), plugin: None, dry_run: false, downgrade: false, fresh: false, wait_ms: None }
    }
}

impl Rollback {
    /// Of a plugin, with the state of what runs, waiting as the host sees fit.
    pub fn new(plugin: impl Into<String>) -> Self {
        Rollback { plugin: plugin.into(), fresh: false, wait_ms: None }
    }
}

impl Stage {
    /// The package at an absolute path.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Stage { file: file.into() }
    }
}

impl Uninstall {
    /// That plugin, whose configuration stays; waits for the end as the host sees fit.
    pub fn new(plugin: impl Into<String>) -> Self {
        Uninstall { plugin: plugin.into(), purge: false, wait_ms: None }
    }
}

impl Validate {
    /// The package at an absolute path.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Validate { file: file.into() }
    }
}

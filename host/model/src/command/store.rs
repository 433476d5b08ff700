//! The store of installed plugins.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{Applied, Changed, ImportResult, Installed, PluginSpec, Staged, Uninstalled, Validated, command};
use crate::installed::Allowance;
use crate::package::Digest;

/// Allows one exact file to be installed once, whoever signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Allow {
    /// The plugin.
    pub plugin: String,
    /// Its version.
    pub version: Version,
    /// The SHA-256 of the package.
    pub sha256: Digest,
    /// How long the allowance lasts, in milliseconds; a day at most.
    pub lasts_ms: u64,
}

/// Installs, configures, enables and disables plugins until the wanted state is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Apply {
    /// The wanted state, by plugin; plugins that are not named stay as they are.
    pub plugins: BTreeMap<String, PluginSpec>,
    /// Whether to return the steps without performing them.
    #[serde(default)]
    pub dry_run: bool,
}

/// Disables a plugin, so that hosts do not load it, and unloads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Disable {
    /// Its name.
    pub plugin: String,
    /// How long to wait for the end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Enables a plugin, so that hosts load it, and loads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Enable {
    /// Its name.
    pub plugin: String,
}

/// Installs a package; if another version of the plugin runs, the new one replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Install {
    /// The package.
    pub file: PathBuf,
    /// The plugin that the package must be of, and that must be installed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Whether to check everything and install nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether to install it even if a newer version was installed before.
    #[serde(default)]
    pub downgrade: bool,
    /// Whether to leave the state of the running generation behind.
    #[serde(default)]
    pub fresh: bool,
    /// How long to wait for the end of the old generation, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Returns to the version installed before; if the current one runs, the earlier one replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rollback {
    /// The plugin.
    pub plugin: String,
    /// Whether to leave the state of the running generation behind.
    #[serde(default)]
    pub fresh: bool,
    /// How long to wait for the end of the old generation, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Checks a package as if to install it, and keeps it ready for an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Stage {
    /// The package.
    pub file: PathBuf,
}

/// Installs the packages in the directory `incoming` of the home, in the order of their names; one of a running plugin
/// replaces it.
///
/// Installed packages are removed from there. Refused ones are moved to `incoming/refused`, with the reason beside
/// them. A package is left for the next time if it may not be complete yet, or if another operation on its plugin is in
/// progress; and all are while another process changes the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ImportIncoming {}

/// Disables a plugin and removes its files; its configuration stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Uninstall {
    /// The plugin.
    pub plugin: String,
    /// Whether to remove its configuration too, and to release its name.
    #[serde(default)]
    pub purge: bool,
    /// How long to wait for the end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Checks whether a package would work on this host, and what makes it trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
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
    /// For one file, for a limited time.
    pub fn new(plugin: impl Into<String>, version: Version, sha256: Digest, lasts: Duration) -> Self {
        Allow { plugin: plugin.into(), version, sha256, lasts_ms: lasts.as_millis() as u64 }
    }
}

impl Apply {
    /// For the wanted state, by plugin.
    pub fn new(plugins: BTreeMap<String, PluginSpec>) -> Self {
        Apply { plugins, dry_run: false }
    }

    /// Returns the steps without performing them.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}

impl Disable {
    /// For a plugin, with the host's default wait.
    pub fn new(plugin: impl Into<String>) -> Self {
        Disable { plugin: plugin.into(), wait_ms: None }
    }
}

impl Enable {
    /// For a plugin.
    pub fn new(plugin: impl Into<String>) -> Self {
        Enable { plugin: plugin.into() }
    }
}

impl ImportIncoming {
    /// Of the directory of the host's home.
    pub fn new() -> Self {
        ImportIncoming::default()
    }
}

impl Install {
    /// For the package at an absolute path, handing over the state of the running generation, with the host's default
    /// wait.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Install { file: file.into(), plugin: None, dry_run: false, downgrade: false, fresh: false, wait_ms: None }
    }

    /// Only if the package is of this plugin, and that is installed already.
    #[must_use]
    pub fn only(mut self, plugin: impl Into<String>) -> Self {
        self.plugin = Some(plugin.into());
        self
    }

    /// Checks everything and installs nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Even if a newer version was installed before.
    #[must_use]
    pub fn downgrade(mut self) -> Self {
        self.downgrade = true;
        self
    }

    /// Leaves the state of the running generation behind.
    #[must_use]
    pub fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }
}

impl Rollback {
    /// For a plugin, handing over the state of the running generation, with the host's default wait.
    pub fn new(plugin: impl Into<String>) -> Self {
        Rollback { plugin: plugin.into(), fresh: false, wait_ms: None }
    }

    /// Leaves the state of the running generation behind.
    #[must_use]
    pub fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }
}

impl Stage {
    /// For the package at an absolute path.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Stage { file: file.into() }
    }
}

impl Uninstall {
    /// For a plugin, whose configuration stays, with the host's default wait.
    pub fn new(plugin: impl Into<String>) -> Self {
        Uninstall { plugin: plugin.into(), purge: false, wait_ms: None }
    }

    /// Removes its configuration too, and releases its name.
    #[must_use]
    pub fn purge(mut self) -> Self {
        self.purge = true;
        self
    }
}

impl Validate {
    /// For the package at an absolute path.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Validate { file: file.into() }
    }
}

//! The answers of commands on the store.

use std::path::PathBuf;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::answers::{Ended, Replaced};
use crate::constructors;
use crate::installed::{Configured, Installation, TrustSource};
use crate::package::Metadata;
use crate::view::PluginView;

/// The result of changing the wanted state of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changed {
    /// Whether anything changed.
    pub changed: bool,
    /// The plugin as it is now.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// The generation that was unloaded, if one was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Ended>,
    /// The generation that was replaced, if one was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<Replaced>,
}

/// The configuration of a plugin after the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reconfigured {
    /// Whether the configuration differs from the one before.
    pub changed: bool,
    /// The configuration.
    #[serde(flatten)]
    pub configured: Configured,
    /// The generation that was replaced by a restart, if one was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<Replaced>,
}

/// What was installed, or would be in a dry run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Installed {
    /// The installation.
    #[serde(flatten)]
    pub installation: Installation,
    /// The places of its callbacks in their chains, or those that they would have.
    pub plan: Vec<Planned>,
    /// The generation that was replaced, if one was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<Replaced>,
}

/// A staged package, ready to be installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Staged {
    /// The installation that it would become.
    #[serde(flatten)]
    pub installation: Installation,
    /// The places that its callbacks would have.
    pub plan: Vec<Planned>,
    /// The path of the staged file.
    pub file: PathBuf,
}

/// The place of a callback in its chain, or the one that it would have if its plugin ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Planned {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
    /// Its priority.
    pub priority: i32,
    /// Its position in the chain, counted from 1.
    pub position: usize,
    /// The length of the chain, with this callback.
    pub chain_length: usize,
    /// The callback before it, as `instance/callback`.
    pub previous: Option<String>,
    /// The callback after it.
    pub next: Option<String>,
    /// Whether the host has the point; if not, the plugin cannot be loaded.
    pub point_known: bool,
}

/// An uninstalled plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Uninstalled {
    /// The plugin's id.
    pub plugin: String,
    /// The version that was installed; `None` if only remains of an earlier one were removed.
    pub version: Option<Version>,
    /// Whether its configuration was removed too and its name released.
    pub purged: bool,
    /// The generation that was unloaded, if one was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Ended>,
}

/// A package that would work on this host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Validated {
    /// Its metadata.
    pub metadata: Metadata,
    /// What makes it trusted.
    pub trusted_by: TrustSource,
}

constructors! {
    /// A plugin of which no generation ended.
    Changed(changed: bool, plugin: PluginView) { ended: None, replaced: None }

    /// A configuration, and the generation that was replaced by a restart.
    Reconfigured(changed: bool, configured: Configured, replaced: Option<Replaced>)

    /// An installation, and the generation that it replaced.
    Installed(installation: Installation, plan: Vec<Planned>, replaced: Option<Replaced>)

    /// A file that is staged.
    Staged(installation: Installation, plan: Vec<Planned>, file: impl Into<PathBuf>)

    /// The only callback, `instance/callback`, of a point that the host has.
    Planned(point: impl Into<String>, callback: impl Into<String>, priority: i32) {
        position: 1,
        chain_length: 1,
        previous: None,
        next: None,
        point_known: true,
    }

    /// A plugin, the version that was installed, and the generation that was unloaded.
    Uninstalled(plugin: impl Into<String>, version: Option<Version>, purged: bool, ended: Option<Ended>)

    /// A package, and what makes it trusted.
    Validated(metadata: Metadata, trusted_by: TrustSource)
}

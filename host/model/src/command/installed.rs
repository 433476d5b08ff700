//! What the commands about what is installed answer.

use semver::Version;
use serde::{Deserialize, Serialize};

use super::answers::{Ended, Replaced};
use crate::installed::{Configured, Installation, TrustSource};
use crate::package::Metadata;
use crate::view::PluginView;

/// What a change of what is wanted of a plugin came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Whether there was anything to change.
    pub changed: bool,
    /// The plugin, as it is now.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// The generation that was unloaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Ended>,
    /// The generation that another one took the place of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<Replaced>,
}

/// What a plugin is configured with from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconfigured {
    /// Whether it is another configuration than before.
    pub changed: bool,
    /// The configuration.
    #[serde(flatten)]
    pub configured: Configured,
    /// The generation that the next one took the place of, with a restart.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<Replaced>,
}

/// What was installed, or would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Installed {
    /// What it is.
    #[serde(flatten)]
    pub installation: Installation,
    /// Where its callbacks stand, or would.
    pub plan: Vec<Planned>,
    /// The generation that it took the place of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<Replaced>,
}

/// A package that is at hand to be installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// What it is.
    #[serde(flatten)]
    pub installation: Installation,
    /// Where its callbacks would stand.
    pub plan: Vec<Planned>,
    /// Where it lies.
    pub file: std::path::PathBuf,
}

/// Where a callback stands in its chain, or would if its plugin ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
    /// The number it is ordered by.
    pub priority: i32,
    /// Its place in the chain, from 1.
    pub place: usize,
    /// How many callbacks the chain has with it.
    pub of: usize,
    /// The callback before it, as `instance/callback`.
    pub previous: Option<String>,
    /// The callback after it.
    pub next: Option<String>,
    /// Whether the host has the point; otherwise the plugin cannot be loaded.
    pub is_known: bool,
}

/// A plugin that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uninstalled {
    /// Its name.
    pub name: String,
    /// The version that was installed; nothing, if only what was left of one was forgotten.
    pub version: Option<Version>,
    /// Whether its configuration is gone too, and its name nobody's.
    pub purged: bool,
    /// The generation that was unloaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Ended>,
}

/// A package that would work here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validated {
    /// What it says of itself.
    pub metadata: Metadata,
    /// Who vouches for it.
    pub by: TrustSource,
}

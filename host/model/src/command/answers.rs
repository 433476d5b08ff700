//! What the commands answer where it is more than a view.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::end::End;
use crate::memory::Memory;
use crate::package::Metadata;
use crate::times::UpgradeTimes;
use crate::view::{CallbackView, PluginView};

/// A plugin and what it has in chains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDetail {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// Its callbacks, by point and in the order in which they run there.
    pub callbacks: Vec<PlacedCallback>,
    /// Callbacks that its file declares and an instance of it did not register.
    pub left_out: Vec<LeftOut>,
    /// What its package says of it, if it is installed from one, and that is what was installed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata: Option<Metadata>,
}

/// A callback that was declared and not registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
}

/// A callback and where it hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedCallback {
    /// The point.
    pub point: String,
    /// The callback.
    #[serde(flatten)]
    pub callback: CallbackView,
}

/// What an upgrade came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The plugin's name.
    pub plugin: String,
    /// The number of the new generation.
    pub generation: u64,
    /// Its version.
    pub version: String,
    /// How long the parts took.
    pub times: UpgradeTimes,
    /// The generation that was replaced, and how it ended.
    pub old: Ended,
}

/// A generation that left, and how that ended; [`End::Busy`] while it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The plugin's name.
    pub plugin: String,
    /// The number of the generation.
    pub generation: u64,
    /// Its version.
    pub version: String,
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
    /// How many destructors of thread-locals were never run.
    pub skipped: usize,
    /// What it held of memory in the end, if it counted that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<Memory>,
}

/// The program that a host is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its process.
    pub pid: u32,
    /// The version of Hookrail in it.
    pub version: String,
    /// How long the host has been there.
    pub uptime_ms: u64,
    /// How many plugins are loaded.
    pub plugins: usize,
    /// What the program says of itself; null when it says nothing.
    pub report: Value,
}

//! The answers of commands that return more than a view.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constructors;
use crate::end::End;
use crate::memory::Memory;
use crate::package::Metadata;
use crate::times::UpgradeTimes;
use crate::view::{CallbackView, PluginView};

/// A plugin and its callbacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PluginDetail {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// Its callbacks, by point and in the order in which they run there.
    pub callbacks: Vec<PlacedCallback>,
    /// Callbacks that its file declares and an instance of it did not register.
    pub left_out: Vec<LeftOut>,
    /// The metadata of its package, if it is installed from one and runs from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata: Option<Metadata>,
}

/// A callback that was declared but not registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The point.
    pub point: String,
    /// `instance/callback`
    pub callback: String,
}

/// A callback and its point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlacedCallback {
    /// The point.
    pub point: String,
    /// The callback.
    #[serde(flatten)]
    pub callback: CallbackView,
}

/// The result of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Replaced {
    /// The plugin's name.
    pub plugin: String,
    /// The number of the new generation.
    pub generation: u64,
    /// Its version.
    pub version: String,
    /// How long the phases took.
    pub times: UpgradeTimes,
    /// The generation that was replaced, and how it ended.
    pub old: Ended,
}

/// A generation that is being unloaded, and how that ended; [`End::Busy`] while it is in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
    pub skipped_destructors: usize,
    /// The memory that it still held at the end, if it counts that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unfreed_memory: Option<Memory>,
}

/// The program that runs a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Program {
    /// Its PID.
    pub pid: u32,
    /// The version of Hookrail in the program.
    pub version: String,
    /// How long the host has existed, in milliseconds.
    pub uptime_ms: u64,
    /// The number of loaded plugins.
    pub plugins: usize,
    /// The program's own report; null if it has none.
    pub report: Value,
}

constructors! {
    /// A plugin without callbacks.
    PluginDetail(plugin: PluginView) { callbacks: Vec::new(), left_out: Vec::new(), metadata: None }

    /// A callback, `instance/callback`, that was not registered on a point.
    LeftOut(point: impl Into<String>, callback: impl Into<String>)

    /// A callback on a point.
    PlacedCallback(point: impl Into<String>, callback: CallbackView)

    /// A plugin, its new generation, and what became of the old one.
    Replaced(plugin: impl Into<String>, generation: u64, version: impl Into<String>, times: UpgradeTimes, old: Ended)

    /// A generation of a plugin that left nothing behind.
    Ended(plugin: impl Into<String>, generation: u64, version: impl Into<String>, end: End) { skipped_destructors: 0, unfreed_memory: None }

    /// A program that has just begun, without a report.
    Program(pid: u32, version: impl Into<String>) { uptime_ms: 0, plugins: 0, report: Value::Null }
}

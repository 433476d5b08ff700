//! The closed list of what can be asked of a host.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Desire;
use crate::diagnostics::LogLevel;
use crate::package::Digest;
use crate::stats::{Condition, Level};
use crate::store::Version;

/// What can be asked of a host: a closed list.
///
/// Files are absolute paths, and opened by the host. Where something is waited for, `wait_ms` says
/// how long at most; without it that is twice the `unload.deadline_ms` of the host's configuration,
/// and never more than [`LONGEST_WAIT`](crate::control::LONGEST_WAIT): more is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Lets exactly one file be installed once, whoever signed it. Answers an
    /// [`Allowance`](crate::store::Allowance).
    Allow {
        /// The plugin.
        plugin: String,
        /// Its version.
        version: Version,
        /// The SHA-256 of the package.
        sha256: Digest,
        /// For how long, a day at most.
        lasts_ms: u64,
    },
    /// Installs, configures, enables and disables what is not so yet. Answers an [`Applied`](super::Applied).
    Apply {
        /// What is wanted, by plugin; of those that are not named nothing is.
        plugins: BTreeMap<String, Desire>,
        /// Does nothing, and answers what would be done.
        #[serde(default)]
        dry_run: bool,
    },
    /// What a plugin is configured with. Answers a [`Configured`](crate::store::Configured).
    Config {
        /// The plugin.
        plugin: String,
    },
    /// What a plugin was configured with before. Answers an array of
    /// [`FormerConfig`](crate::store::FormerConfig), the newest first.
    ConfigHistory {
        /// The plugin.
        plugin: String,
    },
    /// The JSON Schema of a plugin's configuration: the one that it exports where it is loaded, else that of its
    /// package, or of its prebuilt library. Answers it, or null.
    ConfigSchema {
        /// The plugin.
        plugin: String,
    },
    /// Configures a plugin. Where it runs it takes that at once, or refuses it. Answers a [`Reconfigured`](super::Reconfigured).
    Configure {
        /// The plugin.
        plugin: String,
        /// The whole configuration.
        config: Value,
        /// Has the same code run anew with it, for plugins that take it only when they are loaded.
        #[serde(default)]
        restart: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Says that hosts shall not load a plugin, and unloads it. Answers a [`Changed`](super::Changed).
    Disable {
        /// Its name.
        plugin: String,
        /// How long to wait for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Says that hosts shall load a plugin, and loads it. Answers a [`Changed`](super::Changed).
    Enable {
        /// Its name.
        plugin: String,
    },
    /// What happens to plugins from now on, until the connection is closed. Answers nothing first.
    Events,
    /// The points with their chains: all, or one. Answers an array of [`PointView`](crate::PointView).
    Hooks {
        /// The one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        point: Option<String>,
    },
    /// Installs a package; where another version of the plugin runs, the new one takes its place. Answers an
    /// [`Installed`](super::Installed).
    Install {
        /// The package.
        file: PathBuf,
        /// The plugin that has to be in it, and to be installed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<String>,
        /// Checks all, and installs nothing.
        #[serde(default)]
        dry_run: bool,
        /// Installs it although a newer version was installed before.
        #[serde(default)]
        downgrade: bool,
        /// Leaves the state of what runs behind.
        #[serde(default)]
        fresh: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// How closely the dispatches of a point are looked at from now on. Answers its
    /// [`PointView`](crate::PointView).
    Level {
        /// The point.
        point: String,
        /// The level.
        level: Level,
    },
    /// The plugins that are loaded or installed. Answers an array of [`PluginView`](crate::PluginView).
    List {
        /// Every file of what is installed is held against its digest.
        #[serde(default, skip_serializing_if = "is_false")]
        verify: bool,
    },
    /// How much a plugin tells by `tracing` and `log` from now on. Answers its
    /// [`PluginView`](crate::PluginView).
    Log {
        /// Its name.
        plugin: String,
        /// What is told: that, and what matters more.
        level: LogLevel,
    },
    /// Loads a plugin. Answers its [`PluginView`](crate::PluginView).
    Load {
        /// Its library.
        file: PathBuf,
    },
    /// Has a quarantined callback called again. Answers the [`PointView`](crate::PointView).
    Release {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
    },
    /// Stops a plugin and starts it again: the same code, without what it has in mind. Answers its
    /// [`PluginView`](crate::PluginView).
    Restart {
        /// Its name.
        plugin: String,
    },
    /// Returns to the version that was installed before; where the current one runs, it takes its place.
    /// Answers a [`Changed`](super::Changed).
    Rollback {
        /// The plugin.
        plugin: String,
        /// Leaves the state of what runs behind.
        #[serde(default)]
        fresh: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// One plugin. Answers a [`PluginDetail`](super::PluginDetail).
    Show {
        /// Its name.
        plugin: String,
    },
    /// Checks a package as if to install it, and keeps it at hand for an hour. Answers a [`Staged`](super::Staged).
    Stage {
        /// The package.
        file: PathBuf,
    },
    /// Starts a stopped plugin. Answers its [`PluginView`](crate::PluginView).
    Start {
        /// Its name.
        plugin: String,
    },
    /// The program that the host is in. Answers a [`Program`](super::Program).
    Status,
    /// Stops a plugin, and keeps its library. Answers its [`PluginView`](crate::PluginView).
    Stop {
        /// Its name.
        plugin: String,
    },
    /// Installs what lies in the drop-in folder of the home. Answers an array of [`Taken`](super::Taken).
    TakeIn,
    /// Traces the next dispatches of a point. Answers an array of [`Trace`](crate::Trace): as many as
    /// were asked for, or those that came within the time.
    Trace {
        /// The point.
        point: String,
        /// How many at most, from 1 to 1,000.
        count: usize,
        /// Only dispatches that fulfil this, `FIELD=VALUE`.
        #[serde(rename = "if", default, skip_serializing_if = "Option::is_none")]
        condition: Option<Condition>,
        /// How long to wait for them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Disables a plugin, and removes its files. Answers an [`Uninstalled`](super::Uninstalled).
    Uninstall {
        /// The plugin.
        plugin: String,
        /// Removes its configuration too, and forgets whose name it is.
        #[serde(default)]
        purge: bool,
        /// How long to wait for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Unloads a plugin. Answers an [`Ended`](super::Ended).
    Unload {
        /// Its name.
        plugin: String,
        /// How long to wait for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Replaces a plugin by another build of it. Answers a [`Replaced`](super::Replaced).
    Upgrade {
        /// Its name.
        plugin: String,
        /// The library of the new build.
        file: PathBuf,
        /// Leaves the state behind.
        #[serde(default)]
        fresh: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Whether a package would work here. Answers a [`Validated`](super::Validated).
    Validate {
        /// The package.
        file: PathBuf,
    },
}

impl Command {
    /// How long it asks to be waited for.
    pub(crate) fn wait_ms(&self) -> Option<u64> {
        match self {
            Command::Configure { wait_ms, .. }
            | Command::Disable { wait_ms, .. }
            | Command::Install { wait_ms, .. }
            | Command::Rollback { wait_ms, .. }
            | Command::Trace { wait_ms, .. }
            | Command::Uninstall { wait_ms, .. }
            | Command::Unload { wait_ms, .. }
            | Command::Upgrade { wait_ms, .. } => *wait_ms,
            _ => None,
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

//! The verbs for running hosts.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;
use hookrail::LogLevel;

use super::selection::Common;
use super::store::{Store, Swap};
use crate::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    #[command(flatten)]
    Store(Store),
    /// The plugins that are installed, came with the program, or are loaded in a running host
    List {
        /// Compare every installed file with its digest
        #[arg(long)]
        verify: bool,
        #[command(flatten)]
        common: Common,
    },
    /// One plugin: its instances, its callbacks, and how its former generations ended
    Show {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Set how much a plugin logs by `tracing` and `log`, until it is unloaded
    SetLogLevel {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// The least severe level that is logged
        #[arg(value_name = "off|error|warn|info|debug|trace", add = ArgValueCandidates::new(candidates::log_levels))]
        level: LogLevel,
        #[command(flatten)]
        common: Common,
    },
    /// Load a plugin into a running host
    Load {
        /// The library
        #[arg(add = candidates::files(&["so"]))]
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Replace the code of a loaded plugin with another build of it while messages flow, until the host ends; nothing
    /// that is installed changes
    Replace {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// The library; for a package there is `plugin upgrade`
        #[arg(add = candidates::files(&["so"]))]
        file: PathBuf,
        #[command(flatten)]
        swap: Swap,
        #[command(flatten)]
        common: Common,
    },
    /// Unload a plugin: remove its callbacks from their chains, and its library from the process
    Unload {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// Do not wait for the end
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Stop a plugin; its library stays loaded
    Stop {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Stop a plugin and start it again: the same code, started anew
    Restart {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Start a plugin that is stopped, or enabled and not loaded
    Start {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
}

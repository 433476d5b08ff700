//! The verbs for hosts that run.

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
        /// Hold every file of what is installed against its digest
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
    /// Say how much a plugin tells by `tracing` and `log`, until it is unloaded
    SetLogLevel {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// What is told: that, and what matters more
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
    /// Replace a plugin by another version of it while messages flow: an installed one by a package, for
    /// good; a loaded one by a library, until the host ends
    Upgrade {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// The package, NAME-VERSION.hrp, or the library
        #[arg(add = candidates::files(&["hrp", "so"]))]
        file: PathBuf,
        /// Install the package although a newer version was installed before
        #[arg(long)]
        downgrade: bool,
        #[command(flatten)]
        swap: Swap,
        #[command(flatten)]
        common: Common,
    },
    /// Unload a plugin: its callbacks leave their chains, its library the process
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
    /// Stop a plugin and start it again: the same code anew
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

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
    /// List the plugins that are installed, prebuilt, or loaded in a running host
    List {
        /// Also compare every installed file with its digest; the exit code is 7 if one differs
        #[arg(long)]
        verify: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Show one plugin: its instances, its callbacks, and how its former generations ended
    Show {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Set how much a plugin logs, until it is unloaded
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
    /// Load a library into a running host, until the host ends
    Load {
        /// The library
        #[arg(add = candidates::files(&["so"]))]
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Replace the code of a loaded plugin with a library while messages flow, until the host ends; what is installed
    /// stays
    Replace {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// The library; for a package, see `plugin upgrade`
        #[arg(add = candidates::files(&["so"]))]
        file: PathBuf,
        #[command(flatten)]
        swap: Swap,
        #[command(flatten)]
        common: Common,
    },
    /// Remove a plugin's callbacks from their chains, and its library from the process
    Unload {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        /// Do not wait until the library has left the process
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Have a running plugin pause: out of all chains, its own work paused, its instances and their state kept
    Halt {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Have a halted plugin continue
    Resume {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Take a plugin out of all chains; its library stays loaded
    Stop {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::loaded))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Stop a plugin and start it again, with the same code
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

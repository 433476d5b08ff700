//! The verbs for hosts that run.

use std::path::PathBuf;

use clap::Subcommand;
use hookrail::LogLevel;

use super::Store;

/// Which running host is meant: without these, the only one.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Running host")]
pub(crate) struct Selection {
    /// The one with this process number
    #[arg(long, value_name = "PID", conflicts_with = "control")]
    pub(crate) pid: Option<u32>,

    /// The one whose control socket this is
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

impl Selection {
    /// Whether none was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.pid.is_none() && self.control.is_none()
    }
}

/// What every verb for a running host has.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    #[command(flatten)]
    Store(Store),
    /// The plugins of a running host; when none runs, what is installed
    List {
        /// What is installed, also while a host runs
        #[arg(long)]
        installed: bool,
        /// What is installed, with every file of it held against its digest
        #[arg(long)]
        verify: bool,
        #[command(flatten)]
        common: Common,
    },
    /// One plugin: its instances, its callbacks, and how its former generations ended
    Show {
        /// The plugin, for example mask
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Say how much a plugin tells by `tracing` and `log`, until it is unloaded
    Log {
        /// The plugin, for example mask
        name: String,
        /// What is told: that, and what matters more
        #[arg(value_name = "off|error|warn|info|debug|trace")]
        level: LogLevel,
        #[command(flatten)]
        common: Common,
    },
    /// Load a plugin into a running host
    Load {
        /// The library
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Replace a plugin by another build of it, while messages flow
    Upgrade {
        /// The plugin, for example mask
        name: String,
        /// The library of the new build
        file: PathBuf,
        /// Leave the plugin's state behind
        #[arg(long)]
        fresh: bool,
        /// Do not wait for the end of the old generation
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Unload a plugin: its callbacks leave their chains, its library the process
    Unload {
        /// The plugin, for example mask
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
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Start a stopped plugin again
    Start {
        /// The plugin, for example mask
        name: String,
        #[command(flatten)]
        common: Common,
    },
}

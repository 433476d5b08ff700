//! The verbs for the configuration of plugins.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;

use super::selection::Common;
use crate::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// What a plugin is configured with, and who says so
    Get {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Configure a plugin, as a whole. It is held against the plugin's schema; where the plugin runs it takes
    /// it at once, or refuses it and nothing changes
    Set {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// The configuration as JSON; `-` is stdin
        file: PathBuf,
        #[command(flatten)]
        how: Reconfigure,
        #[command(flatten)]
        common: Common,
    },
    /// The JSON Schema of a plugin's configuration
    Schema {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// What a plugin was configured with before: the last ten, the newest first
    History {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// Only that one, as `config set NAME -` takes it
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
        #[command(flatten)]
        common: Common,
    },
    /// Configure a plugin as a configuration file of EMQX 4.x says: its keys and values become those of the
    /// plugin's schema
    Import {
        /// The file, for example etc/emqx_auth_http.conf
        #[arg(add = candidates::files(&["conf"]))]
        file: PathBuf,
        /// The plugin [default: by the name of the file, without `emqx_`]
        #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(candidates::known))]
        plugin: Option<String>,
        /// Print what it becomes, and set nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        how: Reconfigure,
        #[command(flatten)]
        common: Common,
    },
}

/// How a plugin that runs gets its configuration.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Reconfigure {
    /// Run the same code anew with it, with the plugin's state and while messages flow: for plugins that take a
    /// configuration only when they are loaded
    #[arg(long)]
    pub(crate) restart: bool,
}

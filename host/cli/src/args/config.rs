//! The verbs for the configuration of plugins.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;

use super::selection::Common;
use crate::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// The configuration of a plugin, and where it comes from
    Get {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Configure a plugin, as a whole. The configuration is validated against the plugin's schema; where the plugin
    /// runs it applies it at once, or refuses it and nothing changes
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
    /// The former configurations of a plugin: the last ten, the newest first
    History {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// Only that one, in the form that `config set NAME -` reads
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
        #[command(flatten)]
        common: Common,
    },
    /// Configure a plugin from a configuration file of EMQX 4.x: its keys and values become those of the plugin's
    /// schema
    Import {
        /// The file, for example etc/emqx_auth_http.conf
        #[arg(add = candidates::files(&["conf"]))]
        file: PathBuf,
        /// The plugin [default: from the name of the file, without `emqx_`]
        #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(candidates::known))]
        plugin: Option<String>,
        /// Print the resulting configuration, and set nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        how: Reconfigure,
        #[command(flatten)]
        common: Common,
    },
}

/// How a running plugin gets its configuration.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Reconfigure {
    /// Restart the same code with it, keeping the plugin's state, while messages flow: for plugins that read a
    /// configuration only when they are loaded
    #[arg(long)]
    pub(crate) restart: bool,
}

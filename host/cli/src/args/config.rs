//! The verbs for the configuration of plugins.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;

use super::selection::Common;
use crate::candidates;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_SET: &str = "\
Dots in KEY lead into nested objects: `limits.rate=10`.
VALUE is text where the plugin's schema wants a string, and JSON elsewhere: `word=1` is the string \"1\" for a string, `patterns='[\"a\"]'` an array.
Keys with dots in them and the removal of a key need --file: `hookrail config get NAME > FILE`, edit, `hookrail config set NAME --file FILE`.";

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check the configuration file in effect and the configurations of its plugins and of the installed ones, without
    /// starting any; shows which file and which home are in effect, and why. The exit code is 0 if everything fits
    Check {
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
    /// The configuration of a plugin, and where it comes from
    Get {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Configure a plugin: some keys, or the whole with --file. The configuration is validated against the plugin's
    /// schema; a running plugin applies it at once, or refuses it and nothing changes
    #[command(after_help = AFTER_SET)]
    Set {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// The keys to set; the others keep their values
        #[arg(value_name = "KEY=VALUE", value_parser = assignment, required_unless_present = "file")]
        assignments: Vec<(String, String)>,
        /// The whole configuration, as JSON; `-` is stdin
        #[arg(long, value_name = "FILE", conflicts_with = "assignments", add = candidates::files(&["json"]))]
        file: Option<PathBuf>,
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
        /// Only that one, in the form that `config set NAME --file -` reads
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

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, or --file FILE for a whole configuration")?;
    if key.split('.').any(str::is_empty) {
        return Err("the key is empty, or a part of it is".into());
    }
    Ok((key.into(), value.into()))
}

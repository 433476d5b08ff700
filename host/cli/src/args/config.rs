//! The verbs for the configuration of plugins.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;

use super::selection::Common;
use crate::candidates;

/// Clap would show one of the two.
const USAGE_OF_SET: &str = "\
hookrail config set [OPTIONS] <NAME> <KEY=VALUE>...
       hookrail config set [OPTIONS] <NAME> --file <FILE>";

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_SET: &str = "\
The plugin's schema decides what may be set; `hookrail config schema NAME` prints it.
Dots in KEY lead into nested objects: `limits.rate=10`.
VALUE is text where the schema wants a string, so that `word=1` sets \"1\", and JSON elsewhere.
To remove a key, or to set one with a dot in it, edit the whole: `hookrail config get NAME > FILE`, then `hookrail config set NAME --file FILE`.

Examples:
  hookrail config set throttle rate=100 key=topic
  hookrail config set mask 'patterns=[\"password=[^ ]+\"]'
  hookrail config history mask --revision 3 | hookrail config set mask --file -";

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_SHOW: &str = "\
Each key can be set by a variable of the environment, which takes precedence over the file: HOOKRAIL_ and the key in capitals, with `__` for each dot and `_` for what is neither letter nor digit.
What a variable sets in a plugin's configuration is shown as ***.

Examples:
  HOOKRAIL_UNLOAD__DEADLINE=30s hookrail config show --origin
  HOOKRAIL_PLUGINS__FILE_LOG__CONFIG__PATH=/var/log/all.log hookrail run";

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show which configuration and which home are in effect, all mistakes in it with their lines, and check that the
    /// configurations of all plugins fit, without starting any
    Check {
        /// Open no library: of plugins that are not installed, the configuration is not checked
        #[arg(long)]
        offline: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show the configuration in effect, key by key: the file, what variables of the environment set, and the defaults
    #[command(after_help = AFTER_SHOW)]
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the configuration of a plugin, and where it comes from
    Get {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Set keys of a plugin's configuration, or all of it with --file. It is validated against the plugin's schema; a
    /// running plugin applies it at once, or refuses it and nothing changes
    #[command(after_help = AFTER_SET, override_usage = USAGE_OF_SET)]
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
    /// Print the JSON Schema of a plugin's configuration
    Schema {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Show the former configurations of a plugin: the last ten, the newest first
    History {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// Print only this one, in the form that `config set NAME --file -` reads
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
        #[command(flatten)]
        common: Common,
    },
    /// Have a running host read its configuration file again, as SIGHUP does: only what differs is ended and started, and
    /// a mistake changes nothing
    Reload(Common),
    /// Configure a plugin from a configuration file of EMQX 4.x: its keys and values become those of the plugin's
    /// schema
    Import {
        /// The file, for example etc/emqx_auth_http.conf
        #[arg(add = candidates::files(&["conf"]))]
        file: PathBuf,
        /// The plugin [default: from the name of the file, without `emqx_`]
        #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(candidates::known))]
        plugin: Option<String>,
        /// Print the resulting configuration, and change nothing
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
    /// Restart the same code with it, with its state, while messages flow: for plugins that read their configuration
    /// only at the start
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

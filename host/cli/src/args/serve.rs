//! `hookrail serve`.

use std::path::PathBuf;
use std::time::Duration;

use hookrail::units;

use super::setup::Setup;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_SERVE: &str = "\
Pipelines stand in the configuration, as [pipelines.NAME.sources.NAME] and [pipelines.NAME.sinks.NAME]; without any, the logs of this machine are followed, what looks like a secret is masked, and the rest goes to stdout.
A plugin that a pipeline names is loaded if it came with the program.
The first Ctrl-C, or SIGTERM, ends the sources and has the sinks take what is queued; the second ends the program. It ends by itself when all sources have come to an end.

Examples:
  hookrail serve
  hookrail serve --config edge.toml
  hookrail pipeline list";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_SERVE)]
pub(crate) struct Serve {
    /// How long sinks may take for what is queued when the program is told to end
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    pub(crate) drain: Duration,

    /// Show no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print the summary as JSON, on stderr
    #[arg(long)]
    pub(crate) json: bool,

    /// The socket by which this host is managed [default: run/PID.sock in the home]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,

    /// Open no control socket: this host cannot be managed
    #[arg(long, conflicts_with = "control")]
    pub(crate) no_control: bool,

    #[command(flatten)]
    pub(crate) setup: Setup,
}

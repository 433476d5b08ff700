//! The verbs for crashes of workers.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;

use super::selection::Common;
use crate::candidates;

#[derive(Debug, Subcommand)]
pub(crate) enum Crash {
    /// List the reports that are kept, newest first
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show one report: how the worker ended, where it was, and which calls were lost
    Show {
        /// Its id, of `hookrail crash list` [default: the newest]
        #[arg(add = ArgValueCandidates::new(candidates::crashes))]
        id: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Make a lost call again, in a worker of its own
    Replay(Replay),
}

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_REPLAY: &str = "\
A report has the input of a lost call if the plugin's worker is configured with keep_input = true; its secrets are masked.
The plugin is loaded as it was, with its configuration of today; nothing of a running host is touched.
The exit code is 0 if the call returns, and 6 if it fails again.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_REPLAY)]
pub(crate) struct Replay {
    /// The id of the report, of `hookrail crash list` [default: the newest]
    #[arg(add = ArgValueCandidates::new(candidates::crashes))]
    pub(crate) id: Option<String>,

    /// Which lost call, counted from 1 [default: the first that has an input]
    #[arg(long, value_name = "N")]
    pub(crate) call: Option<usize>,

    /// Another build of the plugin
    #[arg(long, value_name = "FILE", add = candidates::files(&["so"]))]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

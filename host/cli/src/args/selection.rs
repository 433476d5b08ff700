//! Selecting the running host that a verb is for, and the form of the answer.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCandidates;

use crate::candidates;

/// The selected running host; without these options, the only one.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Running host")]
pub(crate) struct Selection {
    /// The host with this PID [default: the only one that runs]
    #[arg(long, value_name = "PID", conflicts_with = "control", add = ArgValueCandidates::new(candidates::processes))]
    pub(crate) pid: Option<u32>,

    /// The host with this control socket
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

impl Selection {
    /// Whether no host was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.pid.is_none() && self.control.is_none()
    }
}

/// The options of every verb for a running host.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) selection: Selection,
}

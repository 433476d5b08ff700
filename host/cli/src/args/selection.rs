//! Which running host a verb is for, and how it answers.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCandidates;

use crate::candidates;

/// Which running host is meant: without these, the only one.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Running host")]
pub(crate) struct Selection {
    /// The one with this PID
    #[arg(long, value_name = "PID", conflicts_with = "control", add = ArgValueCandidates::new(candidates::processes))]
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

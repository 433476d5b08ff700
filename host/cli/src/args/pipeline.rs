//! The verbs for pipelines.

use std::time::Duration;

use clap::{Args, Subcommand};
use hookrail::units;

use super::selection::Common;

#[derive(Debug, Subcommand)]
pub(crate) enum Pipeline {
    /// List the pipelines: what they have received, delivered, dropped and hold
    List(Common),
    /// Show one pipeline, with its sources and sinks
    Show(One),
    /// Check the queues on disk, also while no host runs: what they hold, and what of it is damaged
    Queues(Queues),
    /// Start a pipeline, or what of it does not run
    Start(One),
    /// End the sources of a pipeline, then its sinks when their queues are empty
    Stop(Ending),
    /// End the sources of a pipeline; its sinks take what is queued, and wait
    Halt(Ending),
    /// Start the sources of a halted pipeline again
    Resume(One),
    /// Stop a pipeline, and start it again
    Restart(Ending),
}

/// One pipeline.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its name
    pub(crate) pipeline: String,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_QUEUES: &str = "\
Each sink with the policy `spill` has one, below streams/queues in the home. Nothing in them is changed.
The exit code is 1 if something is damaged: the host that opens the queue puts it aside, and goes on with the rest.";

#[derive(Debug, Args)]
#[command(after_help = AFTER_QUEUES)]
pub(crate) struct Queues {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// One pipeline that is to end something.
#[derive(Debug, Args)]
pub(crate) struct Ending {
    #[command(flatten)]
    pub(crate) one: One,

    /// How long to wait for that
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    pub(crate) wait: Duration,
}

//! The verb that shows what a running host is doing, live.

use std::time::Duration;

use clap::Args;
use hookrail::units;

use super::selection::Selection;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER: &str = "\
Rates are those of the last interval. A callback is counted while its point is: `hookrail hooks set-level POINT count`, or `histogram` for its times.
On a terminal the picture is drawn in place; nothing of the terminal is switched, so nothing is left of it however this ends. Ctrl-C ends it.";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Top {
    /// The time from one picture to the next, 100ms to 1h
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub(crate) interval: Duration,

    /// Show one picture, of one interval
    #[arg(long)]
    pub(crate) once: bool,

    /// Print a JSON object for each interval
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) selection: Selection,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = units::duration(text).map_err(|error| error.to_string())?;
    let is_right = (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&interval);
    if is_right { Ok(interval) } else { Err("use 100ms to 1h".into()) }
}

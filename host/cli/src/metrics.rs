//! `hookrail metrics`: what a running host counts and measures, for a monitoring system.

use hookrail::control::Manage;
use hookrail::control::command::Metrics;
use hookrail::metrics;

use crate::args::Common;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{print, remote};

pub(crate) fn run(options: &Common) -> Result<ExitCode, Error> {
    let families = remote::connect(&options.selection)?.ask(Metrics::new())?;
    if options.json {
        print::json(&families)?
    } else {
        print::lines(metrics::text(&families).trim_end())?
    }
    Ok(ExitCode::Ok)
}

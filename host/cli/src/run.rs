//! `hookrail run`: messages from stdin or files, through the points, to stdout.

mod input;
mod interrupt;
mod lines;
mod output;
mod pipeline;
mod progress;
mod summary;

use std::time::Instant;

use crate::args::Run;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{plugins, talk};

use input::Input;
use interrupt::Interrupt;
use pipeline::Pipeline;
use progress::Progress;
use summary::Summary;

pub(crate) fn run(options: &Run) -> Result<ExitCode, Error> {
    let inputs = input::check(&options.files)?;
    let host = plugins::host(&options.setup)?;
    if host.plugins().is_empty() && !options.quiet {
        talk::line("note: no plugin is loaded (--plugin, hookrail.toml): messages pass the built-in checks only");
    }
    let progress = Progress::new(&inputs, options);
    let interrupt = Interrupt::install()?;
    let mut pipeline = Pipeline::new(&host, options, &interrupt, &progress)?;
    let start = Instant::now();
    let mut inputs = inputs.into_iter().take_while(|_| !interrupt.has_come());
    let read = inputs.try_for_each(|input| pipeline.read(&Input::open(input)?));
    // Whatever became of the input: what was allowed so far is written, and counted.
    let counts = pipeline.finish();
    progress.finish();
    let summary = Summary::new(&host, counts?, start.elapsed(), interrupt.has_come());
    if options.json {
        talk::line(summary.to_json());
    } else if !options.quiet {
        talk::line(summary.to_text());
    }
    read?;
    Ok(summary.exit_code())
}

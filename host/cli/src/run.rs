//! `hookrail run`: messages from stdin or files, through the points, to stdout.

mod batch;
mod complaints;
mod counters;
mod denials;
mod encoding;
mod follow;
mod incoming;
mod input;
mod lines;
mod object;
mod ordered;
mod output;
mod parser;
mod pipeline;
mod progress;
mod reading;
mod replacing;
mod summary;
mod threads;
mod worker;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hookrail::Host;
use hookrail::control::{Control, Manager, socket_in};

use crate::args::Run;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::plugins::Chosen;
use crate::serve::reload::Reloading;
use crate::{interrupt, stderr};

use counters::Counters;
use denials::ByCause;
use input::Input;
use pipeline::Pipeline;
use progress::Progress;
use reading::Reading;
use replacing::Replacing;
use summary::Summary;
use threads::Threads;

/// Who runs the chain.
enum Path<'scope> {
    Alone(Box<Pipeline<'scope>>),
    Together(Threads<'scope>),
}

pub(crate) fn run(options: &Run) -> Result<ExitCode, Error> {
    if options.follow {
        return follow::run(options);
    }
    let inputs = input::check(&options.files)?;
    let chosen = Chosen::by(&options.setup)?;
    // Before they are loaded: changes made meanwhile count as changes.
    let replacing = options.watch.then(|| Replacing::of(&chosen.files));
    let has_store = chosen.has_store();
    let (interrupt, hang_ups) = interrupt::prepare_unless_terminal()?;
    let (host, manager) = chosen.load("hookrail run")?;
    let host = Arc::new(host);
    if host.plugin_views().is_empty() && !options.quiet {
        stderr::line("note: no plugin is loaded (--plugin, hookrail.toml): messages pass the built-in checks only");
    }
    let reloading = Reloading::new(&host, None, Duration::ZERO, Arc::new(|_| ()));
    reloading.register(&manager);
    let counters = Arc::new(Counters::new(options.threads.into()));
    let control = control(&host, &manager, options, &counters);
    let progress = Progress::new(&inputs, options);
    let interrupt = interrupt.arm();
    interrupt.then(warn_stuck)?;
    reloading.at_each(hang_ups)?;
    let reading = Reading { options, interrupt: &interrupt, progress: &progress, counters: &counters };
    let start = Instant::now();
    let (read, denials) = thread::scope(|scope| {
        let mut path = match options.threads {
            1 => Path::Alone(Box::new(Pipeline::new(&host, options, counters.clone())?)),
            _ => Path::Together(Threads::begin(scope, &host, options, &interrupt, &counters)?),
        };
        let read = thread::scope(|scope| {
            // Ends the watching when the reading has ended.
            let _taken = has_store.then(|| incoming::begin(scope, &manager)).transpose()?;
            let _watched = replacing.map(|replacing| replacing.begin(scope, &host)).transpose()?;
            let mut inputs = inputs.into_iter().take_while(|_| !interrupt.has_come());
            inputs.try_for_each(|input| path.read(&reading, &Input::open(input)?))
        });
        // Whatever happened to the input: the messages allowed so far are written and counted.
        Ok::<_, Error>((read, path.finish()))
    })?;
    progress.finish();
    // Its socket is closed first, so that no further command begins.
    drop(control);
    let summary = Summary::new(&host, &counters, denials?, start.elapsed(), &interrupt);
    if options.json {
        stderr::json(&summary);
    } else if !options.quiet {
        stderr::lines(summary.to_text());
    }
    read?;
    Ok(summary.exit_code())
}

impl Path<'_> {
    fn read(&mut self, reading: &Reading<'_>, input: &Input) -> Result<(), Error> {
        match self {
            Path::Alone(pipeline) => reading.read(input, &mut **pipeline),
            Path::Together(threads) => threads.read(reading, input),
        }
    }

    fn finish(self) -> Result<ByCause, Error> {
        match self {
            Path::Alone(pipeline) => pipeline.finish(),
            Path::Together(threads) => threads.finish(),
        }
    }
}

/// Tells a user who has interrupted a run that is stuck in a callback how to end it.
fn warn_stuck() {
    // Most runs have ended by then.
    thread::sleep(Duration::from_secs(1));
    stderr::line("the last message is still being processed: press Ctrl-C again to quit without it");
}

/// Opens the control socket. A run continues without one, since its messages matter more.
fn control(host: &Host, manager: &Manager, options: &Run, counters: &Arc<Counters>) -> Option<Control> {
    if options.no_control {
        return None;
    }
    let path = options.control.clone().unwrap_or_else(|| socket_in(host.config().home_dir()));
    match manager.open_control(path) {
        Ok(control) => {
            let counters = counters.clone();
            control.report(move || counters.to_json());
            Some(control)
        }
        Err(error) => {
            tracing::warn!("this run cannot be managed (--no-control accepts that): {error}; fix: {}", error.fix());
            None
        }
    }
}

//! `hookrail serve`: pipelines, until it is told to end.

mod commands;
mod default;
pub(crate) mod reload;
pub(crate) mod stdio;
mod supervisor;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hookrail::Host;
use hookrail::control::{Control, Manager, socket_in};
use hookrail::stream::Streams;

use crate::args::Serve;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::{self, Interrupt};
use crate::plugins::Chosen;
use crate::{pipeline, stderr, stdout};

use reload::{Amend, Reloading};
use supervisor::Supervisor;

/// How pipelines are run.
pub(crate) struct How {
    /// What the catalogue of points calls the program.
    pub(crate) program: &'static str,
    /// What becomes of each configuration that is read.
    pub(crate) amend: Amend,
    /// How long sinks may take for what is queued when it is told to end.
    pub(crate) drain: Duration,
    /// Whether it is over when the terminal, or whoever reads stdout, has gone; else it goes on without.
    pub(crate) ends_with_reader: bool,
    pub(crate) is_quiet: bool,
    pub(crate) as_json: bool,
    pub(crate) control: Option<PathBuf>,
    pub(crate) no_control: bool,
}

pub(crate) fn run(options: &Serve) -> Result<ExitCode, Error> {
    let chosen = Chosen::by(&options.setup)?;
    if chosen.config.pipelines.is_empty() {
        stderr::line("note: no [pipelines] are configured: the logs of this machine are followed, masked and shown");
    }
    let how = How {
        program: "hookrail serve",
        amend: Arc::new(default::add_if_none),
        drain: options.drain,
        ends_with_reader: false,
        is_quiet: options.quiet,
        as_json: options.json,
        control: options.control.clone(),
        no_control: options.no_control,
    };
    pipelines(chosen, &how)
}

/// Runs the pipelines of a configuration.
pub(crate) fn pipelines(mut chosen: Chosen, how: &How) -> Result<ExitCode, Error> {
    (how.amend)(&mut chosen.config);
    chosen.add_used()?;
    let (interrupt, hang_ups) = if how.ends_with_reader {
        interrupt::prepare_unless_terminal()?
    } else {
        (Interrupt::prepare_to_stay()?, interrupt::hang_ups()?)
    };
    let (host, manager) = chosen.load(how.program)?;
    let host = Arc::new(host);
    // Whether somebody is there who reads stdout.
    let is_read = Arc::new(AtomicBool::new(true));
    let mut streams = Streams::of(&host)?;
    stdio::offer(&mut streams, how.ends_with_reader.then_some(&is_read));
    let streams = Arc::new(streams.begin(&host)?);
    for (name, config) in &host.config().pipelines {
        streams.add(name, config)?;
    }
    streams.check().map_err(|error| host.config().located_error(error))?;
    commands::register(&manager, &streams);
    commands::register_taps(&manager, &host, &streams);
    let reloading = Reloading::new(&host, Some(&streams), how.drain, how.amend.clone());
    reloading.register(&manager);
    let interrupt = interrupt.arm();
    let control = control(&host, &manager, how, &streams);
    for name in host.config().pipelines.keys() {
        streams.start(name)?;
    }
    reloading.at_each(hang_ups)?;
    let supervisor = Supervisor::of_environment();
    supervisor.ready();
    wait(&interrupt, &supervisor, &streams, how.ends_with_reader.then_some(&*is_read));
    supervisor.stopping();
    // Its socket is closed first, so that no further command begins.
    drop(control);
    // Relaxed: it guards no other data.
    let is_read = is_read.load(Ordering::Relaxed);
    streams.stop_all(Instant::now() + if is_read { how.drain } else { Duration::ZERO });
    let views = streams.views();
    if how.as_json {
        stderr::json(&views);
    } else if !how.is_quiet {
        stderr::lines(pipeline::all(&views));
    }
    Ok(if is_read { ExitCode::Ok } else { ExitCode::StdoutClosed })
}

/// Waits until an interrupt comes, or there is nothing more to do.
fn wait(interrupt: &Interrupt, supervisor: &Supervisor, streams: &Streams, is_read: Option<&AtomicBool>) {
    /// From one look at the pipelines to the next.
    const LOOK: Duration = Duration::from_millis(200);
    while !interrupt.wait_for(supervisor.pause().map_or(LOOK, |pause| pause.min(LOOK))) {
        supervisor.alive();
        if let Some(is_read) = is_read {
            // Relaxed: it guards no other data.
            is_read.fetch_and(!stdout::has_no_reader(), Ordering::Relaxed);
        }
        if streams.are_done() || is_read.is_some_and(|is_read| !is_read.load(Ordering::Relaxed)) {
            return;
        }
    }
    stderr::line("ending: the sinks take what is queued; Ctrl-C again quits at once");
}

/// Opens the control socket. A host continues without one, since its messages matter more.
fn control(host: &Host, manager: &Manager, how: &How, streams: &Arc<Streams>) -> Option<Control> {
    if how.no_control {
        return None;
    }
    let path = how.control.clone().unwrap_or_else(|| socket_in(host.config().home_dir()));
    match manager.open_control(path) {
        Ok(control) => {
            let streams = streams.clone();
            control.report(move || commands::report(&streams));
            Some(control)
        }
        Err(error) => {
            tracing::warn!("this host cannot be managed (--no-control accepts that): {error}; fix: {}", error.fix());
            None
        }
    }
}

//! `hookrail serve`: pipelines, until it is told to end.

mod commands;
mod default;
mod reload;
mod stdio;
mod supervisor;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail::Host;
use hookrail::control::{Control, Manager, socket_in};
use hookrail::stream::Streams;

use crate::args::Serve;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::{self, Interrupt};
use crate::plugins::Chosen;
use crate::{pipeline, stderr};

use reload::Reloading;
use supervisor::Supervisor;

pub(crate) fn run(options: &Serve) -> Result<ExitCode, Error> {
    let mut chosen = Chosen::by(&options.setup)?;
    if chosen.config.pipelines.is_empty() {
        default::add(&mut chosen.config);
        stderr::line("note: no [pipelines] are configured: the logs of this machine are followed, masked and shown");
    }
    chosen.add_used()?;
    let (interrupt, hang_ups) = (Interrupt::prepare_to_stay()?, interrupt::hang_ups()?);
    let (host, manager) = chosen.load("hookrail serve")?;
    let host = Arc::new(host);
    let mut streams = Streams::of(&host)?;
    stdio::offer(&mut streams);
    let streams = Arc::new(streams.begin(&host)?);
    for (name, config) in &host.config().pipelines {
        streams.add(name, config)?;
    }
    streams.check()?;
    commands::register(&manager, &streams);
    commands::register_taps(&manager, &host, &streams);
    let reloading = Reloading::new(&host, &streams, options.drain);
    reloading.register(&manager);
    let interrupt = interrupt.arm();
    let control = control(&host, &manager, options, &streams);
    for name in host.config().pipelines.keys() {
        streams.start(name)?;
    }
    if let Some(mut hang_ups) = hang_ups {
        let hang_up = move || hang_ups.forever().for_each(|_| reloading.hang_up());
        let spawned = std::thread::Builder::new().name("reload".into()).spawn(hang_up);
        spawned.map_err(|cause| Error::system("start a thread", cause))?;
    }
    let supervisor = Supervisor::of_environment();
    supervisor.ready();
    wait(&interrupt, &supervisor, &streams);
    supervisor.stopping();
    // Its socket is closed first, so that no further command begins.
    drop(control);
    streams.stop_all(Instant::now() + options.drain);
    let views = streams.views();
    if options.json {
        stderr::json(&views);
    } else if !options.quiet {
        stderr::lines(pipeline::all(&views));
    }
    Ok(ExitCode::Ok)
}

/// Waits until an interrupt comes, or there is nothing more to do.
fn wait(interrupt: &Interrupt, supervisor: &Supervisor, streams: &Streams) {
    /// From one look at the pipelines to the next.
    const LOOK: Duration = Duration::from_millis(200);
    while !interrupt.wait_for(supervisor.pause().map_or(LOOK, |pause| pause.min(LOOK))) {
        supervisor.alive();
        if streams.are_done() {
            return;
        }
    }
    stderr::line("ending: the sinks take what is queued; Ctrl-C again quits at once");
}

/// Opens the control socket. A host continues without one, since its messages matter more.
fn control(host: &Host, manager: &Manager, options: &Serve, streams: &Arc<Streams>) -> Option<Control> {
    if options.no_control {
        return None;
    }
    let path = options.control.clone().unwrap_or_else(|| socket_in(host.config().home_dir()));
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

//! The source: what clients post are messages.
//!
//! 1. A thread of its own runs the connections: it reads requests, within all bounds, and makes messages of them.
//! 2. The endpoint's thread sends these, those of waiting requests together, and says what came of it.
//! 3. The first thread answers. It has ended before the endpoint returns.

mod answer;
mod body;
mod budget;
mod config;
mod decode;
mod lines;
mod server;
mod taking;
mod topic;

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use hookrail_abi::prelude::*;

pub(crate) use config::Config;
use config::Wanted;
use server::Server;
use taking::{Job, Outcome};

/// How often it is looked whether the endpoint is to end while no request comes.
const LOOK: Duration = Duration::from_millis(100);

/// Messages of several requests are sent together up to so many.
const TOGETHER: usize = 1024;

/// One use of the source in a pipeline.
pub(crate) struct Listening {
    wanted: Wanted,
    host: Instance,
}

impl Listening {
    /// Refuses what could not work, and binds nothing: it may be that it never runs.
    pub(crate) fn new(config: Config, host: Instance) -> Result<Self> {
        Ok(Listening { wanted: config.wanted()?, host })
    }
}

impl Source for Listening {
    fn run(&mut self, io: &mut SourceIo<'_>) -> Result<()> {
        let (jobs, waiting) = sync_channel(self.wanted.max_requests);
        let patience = self.wanted.patience;
        let Some(server) = Server::bind(&self.wanted, self.host, jobs, |pause| io.wait(pause))? else {
            return Ok(());
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        thread::scope(|scope| {
            let name = "hookrail-http".to_owned();
            let serving = thread::Builder::new().name(name).spawn_scoped(scope, || server.run(stopped))?;
            let sent = send(io, waiting, patience);
            // It may have ended by itself.
            let _ = stop.send(());
            serving.join().map_err(|_| "the thread of its connections has panicked")??;
            Ok(sent?)
        })
    }
}

/// Sends what is posted until `io` is closed, or nothing can be posted any more. Requests that wait when this returns are
/// answered as those of an endpoint that ends.
fn send(io: &mut SourceIo<'_>, waiting: Receiver<Job>, patience: Duration) -> Result<(), Closed> {
    let (mut jobs, mut messages) = (Vec::new(), Vec::new());
    loop {
        match waiting.recv_timeout(LOOK) {
            Ok(job) => jobs.push(job),
            Err(RecvTimeoutError::Timeout) if io.is_closed() => return Err(Closed),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let mut count = jobs[0].messages.len();
        while count < TOGETHER
            && let Ok(job) = waiting.try_recv()
        {
            count += job.messages.len();
            jobs.push(job);
        }
        // Nobody waits for the answer of a client that has gone: it was promised nothing.
        jobs.retain(|job| !job.reply.is_closed());
        messages.clear();
        messages.extend(jobs.iter_mut().flat_map(|job| job.messages.drain(..)));
        if messages.is_empty() {
            jobs.clear();
            continue;
        }
        let outcome = if io.send_within(&mut messages, None, Some(patience))? { Outcome::Taken } else { Outcome::Full };
        for job in jobs.drain(..) {
            // The client may have gone meanwhile.
            let _ = job.reply.send(outcome);
        }
    }
}

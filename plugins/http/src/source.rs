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
mod patient;
mod server;
mod taking;
mod topic;

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

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
        let Some(server) = Server::bind(&self.wanted, self.host, jobs, |pause| io.wait(pause))? else {
            return Ok(());
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        thread::scope(|scope| {
            let name = "hookrail-http".to_owned();
            let serving = thread::Builder::new().name(name).spawn_scoped(scope, || server.run(stopped))?;
            let sent = send(io, waiting);
            // It may have ended by itself.
            let _ = stop.send(());
            serving.join().map_err(|_| "the thread of its connections has panicked")??;
            Ok(sent?)
        })
    }
}

/// Sends what is posted until `io` is closed, or nothing can be posted any more. Requests that wait when this returns are
/// answered as those of an endpoint that ends.
fn send(io: &mut SourceIo<'_>, waiting: Receiver<Job>) -> Result<(), Closed> {
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
        let Some(left) = left(&mut jobs, Instant::now()) else {
            if io.is_closed() {
                return Err(Closed);
            }
            continue;
        };
        messages.clear();
        messages.extend(jobs.iter_mut().flat_map(|job| job.messages.drain(..)));
        let outcome = if io.send_within(&mut messages, None, Some(left))? { Outcome::Taken } else { Outcome::Full };
        for job in jobs.drain(..) {
            // The client may have gone meanwhile.
            let _ = job.reply.send(outcome);
        }
    }
}

/// How long the oldest of the jobs can wait: if its time is over, it has what room there is, so that on a busy machine a
/// short patience does not refuse everything. Those that nobody waits for are dropped: they were promised nothing. `None`
/// if there is no other.
fn left(jobs: &mut Vec<Job>, now: Instant) -> Option<Duration> {
    jobs.retain(|job| !job.reply.is_closed());
    jobs.iter().map(|job| job.until.saturating_duration_since(now)).min()
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::budget::Budget;
    use super::*;

    #[test]
    fn the_oldest_that_somebody_waits_for_says_how_long_is_waited() {
        let budget = Budget::new(9, 9, 1);
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let (mut jobs, mut answers) = (Vec::new(), Vec::new());
        for until in [now - second, now, now + second, now + 2 * second, now + 3 * second] {
            let (reply, answer) = oneshot::channel();
            jobs.push(Job { messages: Vec::new(), reply, until, _held: budget.hold() });
            answers.push(answer);
        }
        assert_eq!(left(&mut jobs, now), Some(Duration::ZERO));
        // The first ones have gone.
        answers.drain(..2);
        assert_eq!(left(&mut jobs, now), Some(second));
        answers.remove(0);
        assert_eq!(left(&mut jobs, now), Some(2 * second));
        assert_eq!(jobs.len(), 2);
        answers.clear();
        assert_eq!(left(&mut jobs, now), None);
    }
}

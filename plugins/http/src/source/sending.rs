//! Sends what was posted.

use std::mem::take;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;
use tokio::sync::mpsc::Receiver;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

use super::filled::Spares;
use super::taking::{Job, Outcome};

/// How often it is looked whether the endpoint is to end while no request comes.
const LOOK: Duration = Duration::from_millis(100);

/// Messages of several requests are sent together up to so many.
const TOGETHER: usize = 1024;

/// So long the thread waits for room at once: then connections have their turn.
const STEP: Duration = Duration::from_millis(5);

/// With so many messages a request is sent by itself, in place.
const ENOUGH: usize = 64;

/// Sends what is posted until `io` is closed, or nothing can be posted any more. Requests that wait when this returns are
/// answered as those of an endpoint that ends.
pub(crate) async fn send(io: &mut SourceIo<'_>, mut waiting: Receiver<Job>, spares: &Spares) -> Result<(), Closed> {
    let (mut jobs, mut together) = (Vec::<Job>::new(), Vec::new());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if jobs.is_empty() {
            let job = tokio::select! {
                biased;
                job = waiting.recv() => job,
                _ = look.tick() => match io.is_closed() {
                    true => return Err(Closed),
                    false => continue,
                },
            };
            match job {
                Some(job) => jobs.push(job),
                None => return Ok(()),
            }
        }
        let mut count: usize = jobs.iter().map(|job| job.messages.len()).sum();
        while count < TOGETHER
            && let Ok(job) = waiting.try_recv()
        {
            count += job.messages.len();
            jobs.push(job);
        }
        if let Some(left) = left(&mut jobs, Instant::now()) {
            let next = next(&jobs);
            if send_some(io, &mut jobs[..next], left.min(STEP), &mut together)? {
                jobs.drain(..next).for_each(|job| answer(job, Outcome::Taken, spares));
            } else {
                let now = Instant::now();
                jobs.extract_if(.., |job| job.until <= now).for_each(|job| answer(job, Outcome::Full, spares));
            }
        }
        yield_now().await;
    }
}

/// How many of the jobs are sent next: the first one, or as many as are small.
fn next(jobs: &[Job]) -> usize {
    jobs.iter().take_while(|job| job.messages.len() < ENOUGH).count().max(1)
}

/// Sends the messages of some jobs, all or none. Uses `together`, which is empty before and after.
fn send_some(
    io: &mut SourceIo<'_>,
    jobs: &mut [Job],
    limit: Duration,
    together: &mut Vec<Message>,
) -> Result<bool, Closed> {
    if let [job] = jobs {
        return io.send_within(job.messages.messages(), None, Some(limit));
    }
    together.extend(jobs.iter_mut().flat_map(|job| job.messages.messages()).map(take));
    let sent = io.send_within(together, None, Some(limit));
    // Emptied, or as they were.
    let places = jobs.iter_mut().flat_map(|job| job.messages.messages());
    places.zip(together.drain(..)).for_each(|(place, message)| *place = message);
    sent
}

/// Tells the client, unless it has gone meanwhile.
fn answer(job: Job, outcome: Outcome, spares: &Spares) {
    let _ = job.reply.send(outcome);
    spares.put(job.messages);
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

    use super::super::budget::Budget;
    use super::super::filled::Filled;
    use super::*;

    #[test]
    fn the_oldest_that_somebody_waits_for_says_how_long_is_waited() {
        let budget = Budget::new(9, 9, 1);
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let (mut jobs, mut answers) = (Vec::new(), Vec::new());
        for until in [now - second, now, now + second, now + 2 * second, now + 3 * second] {
            let (reply, answer) = oneshot::channel();
            jobs.push(Job { messages: Filled::default(), reply, until, _held: budget.hold() });
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

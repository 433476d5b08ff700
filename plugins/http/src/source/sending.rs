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
            let first = first(&jobs);
            let send = |messages: &mut [Message]| io.send_within(messages, None, Some(left.min(STEP)));
            if all_at_once(&mut jobs[..first], &mut together, send)? {
                jobs.drain(..first).for_each(|job| answer(job, Outcome::Taken, spares));
            } else {
                let now = Instant::now();
                jobs.extract_if(.., |job| job.until <= now).for_each(|job| answer(job, Outcome::Full, spares));
            }
        }
        yield_now().await;
    }
}

/// How many of the jobs are sent first: one, or as many as are small.
fn first(jobs: &[Job]) -> usize {
    jobs.iter().take_while(|job| job.messages.len() < ENOUGH).count().max(1)
}

/// Calls `send` with the messages of all these jobs. Uses `together`, which is empty before and after.
fn all_at_once<R>(jobs: &mut [Job], together: &mut Vec<Message>, send: impl FnOnce(&mut [Message]) -> R) -> R {
    if let [job] = jobs {
        return send(job.messages.messages());
    }
    together.extend(jobs.iter_mut().flat_map(|job| job.messages.messages()).map(take));
    let sent = send(together);
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

    /// One with a message for each of these bodies.
    fn job(bodies: &[&str]) -> Job {
        let (mut held, mut messages) = (Budget::new(9, 1 << 20, 1).hold(), Filled::default());
        for body in bodies {
            let fill = |message: &mut Message| {
                message.body.set(body.as_bytes());
                Ok(())
            };
            messages.add(&mut held, 100, fill).unwrap();
        }
        Job { messages, reply: oneshot::channel().0, until: Instant::now(), _held: held }
    }

    fn bodies(messages: &[Message]) -> Vec<String> {
        messages.iter().map(|message| message.body.to_display().into_owned()).collect()
    }

    #[test]
    fn messages_that_were_not_taken_are_sent_again_as_they_were() {
        for (mut jobs, all) in [
            (vec![job(&["1"]), job(&["2", "3"]), job(&["4"])], &["1", "2", "3", "4"][..]),
            (vec![job(&["1", "2"])], &["1", "2"]),
        ] {
            let mut together = Vec::new();
            for _ in 0..2 {
                assert_eq!(all_at_once(&mut jobs, &mut together, |messages| bodies(messages)), all);
                assert!(together.is_empty());
            }
            // What the host has taken is empty.
            all_at_once(&mut jobs, &mut together, |messages| messages.iter_mut().for_each(Message::clear));
            let lengths = jobs.iter_mut().flat_map(|job| job.messages.messages()).map(|message| message.body.len());
            assert_eq!(lengths.sum::<usize>(), 0);
        }
    }

    #[test]
    fn small_requests_are_sent_together_and_large_ones_alone() {
        let job = |count: usize| job(&vec!["x"; count]);
        let first = |counts: &[usize]| first(&counts.iter().map(|count| job(*count)).collect::<Vec<_>>());
        assert_eq!([first(&[1]), first(&[1, 2, 1]), first(&[1, 2, ENOUGH, 1]), first(&[ENOUGH, 1])], [1, 3, 2, 1]);
    }

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

//! Sends what was posted.

use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;
use tokio::sync::mpsc::Receiver;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

use super::spares::Spares;
use super::taking::{Job, Outcome};

/// How often it is looked whether the endpoint is to end while no request comes.
const LOOK: Duration = Duration::from_millis(100);

/// Messages of several requests are sent together up to so many.
const TOGETHER: usize = 1024;

/// So long the thread waits for room at once: then connections have their turn.
const STEP: Duration = Duration::from_millis(5);

/// Sends what is posted until `io` is closed, or nothing can be posted any more. Requests that wait when this returns are
/// answered as those of an endpoint that ends.
pub(crate) async fn send(io: &mut SourceIo<'_>, mut waiting: Receiver<Job>, spares: &Spares) -> Result<(), Closed> {
    let (mut jobs, mut messages) = (Vec::<Job>::new(), Vec::new());
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
            let counts: Vec<_> = jobs.iter().map(|job| job.messages.len()).collect();
            messages.extend(jobs.iter_mut().flat_map(|job| job.messages.drain(..)));
            if io.send_within(&mut messages, None, Some(left.min(STEP)))? {
                spares.put(std::mem::take(&mut messages));
                jobs.drain(..).for_each(|job| job.answer(Outcome::Taken));
            } else {
                let mut rest = messages.drain(..);
                jobs.iter_mut().zip(counts).for_each(|(job, count)| job.messages.extend(rest.by_ref().take(count)));
                drop(rest);
                let now = Instant::now();
                jobs.extract_if(.., |job| job.until <= now).for_each(|job| job.answer(Outcome::Full));
            }
        }
        yield_now().await;
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

    use super::super::budget::Budget;
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

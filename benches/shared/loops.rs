//! The loops that are timed. Each checks the verdict of every round, and in the end that every
//! callback ran in every round.

use std::hint::black_box;
use std::ptr::from_mut;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use hookrail::{HookPoint, Verdict};
use hookrail_benches::{Work, WorkDone};

use super::hosts::{Aligned, run_raw};

/// Runs `once` so many times on one payload.
#[inline(always)]
pub(crate) fn timed(rounds: u64, callbacks: usize, once: impl Fn(&mut Work)) -> Duration {
    let mut work = Work::default();
    let start = Instant::now();
    for _ in 0..rounds {
        once(black_box(&mut work));
    }
    let elapsed = start.elapsed();
    assert_eq!(work.count, rounds * callbacks as u64, "every callback ran in every round");
    elapsed
}

/// The loop itself.
#[inline(never)]
pub(crate) fn empty(rounds: u64) -> Duration {
    timed(rounds, 0, |_| ())
}

/// The raw loop over the same callbacks; the host that registered them must be kept.
#[inline(never)]
pub(crate) fn raw(rounds: u64, pairs: &Aligned) -> Duration {
    timed(rounds, pairs.len(), |work| {
        // SAFETY: the callers keep the host, and the payload is that of its point.
        assert!(unsafe { run_raw(pairs, from_mut(work).cast()) } == 0);
    })
}

/// Hookrail's dispatch of a chain of so many callbacks that count.
#[inline(never)]
pub(crate) fn dispatch(rounds: u64, point: &HookPoint<WorkDone>, callbacks: usize) -> Duration {
    timed(rounds, callbacks, |work| assert!(point.dispatch(work).verdict == Verdict::Continue))
}

/// Runs a loop on so many threads at once; the mean of their times.
pub(crate) fn on_threads(threads: u32, rounds: u64, run: impl Fn(u64) -> Duration + Sync) -> Duration {
    let ready = Barrier::new(threads as usize);
    let one = || {
        // What a thread does first only: it claims its record, and fills its caches.
        run(1000);
        ready.wait();
        run(rounds)
    };
    thread::scope(|scope| {
        let threads_running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads_running.into_iter().map(|thread| thread.join().expect("the loop holds")).sum::<Duration>() / threads
    })
}

/// The given quantiles of the time of one round, timed one by one: the clock's own 20 to 40 ns are
/// in it.
pub(crate) fn quantiles<const N: usize>(rounds: u64, of: [f64; N], once: impl Fn(u64) -> Duration) -> [f64; N] {
    let mut samples: Vec<_> = (0..rounds).map(|_| once(1)).collect();
    samples.sort_unstable();
    of.map(|quantile| samples[(quantile * (samples.len() - 1) as f64) as usize].as_nanos() as f64)
}

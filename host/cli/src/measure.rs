//! The cost of a dispatch compared with a raw loop over the same function pointers.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::from_mut;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use hookrail::{Decision, HookPoint, Message, MessageDelivered};
use serde::Serialize;

/// The duration of one side of a round: long compared with the clock, short compared with disturbances.
const ROUND: Duration = Duration::from_micros(300);

/// What one dispatch costs, in nanoseconds: the best of all rounds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) callbacks: usize,
    pub(crate) threads: usize,
    pub(crate) raw_ns: f64,
    pub(crate) dispatch_ns: f64,
}

/// Four pairs, a cache line, aligned like the host's own.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([Pair; 4]);

#[repr(C)]
#[derive(Clone, Copy)]
struct Pair {
    run: unsafe extern "C" fn(*mut c_void, *mut c_void) -> u32,
    ctx: *mut c_void,
}

/// Contiguous pairs of 16 bytes, copied from a chain.
struct Raw {
    lines: Vec<Line>,
    len: usize,
}

// SAFETY: the pairs are not written, and callbacks may run on any thread, as their registration promised.
unsafe impl Sync for Raw {}

/// Measures the raw loop and dispatch in turn, on all threads at once, so that a disturbance affects both. The point's
/// callbacks must not be unregistered meanwhile.
pub(crate) fn cost(point: &HookPoint<MessageDelivered>, threads: usize, rounds: u32) -> Cost {
    let raw = Raw::of(point);
    let times = times(point);
    let barrier = Barrier::new(threads);
    let measure = || {
        let mut message = Message::new("bench", "a message");
        let mut costs = Vec::with_capacity(rounds as usize);
        for round in 0..=rounds {
            let mut raw_loop = || timed(&barrier, times, || raw.run(times, &mut message));
            // The side that runs second finds warmer caches, so they alternate.
            let (raw_ns, dispatch_ns) = if round % 2 == 0 {
                let raw_ns = raw_loop();
                (raw_ns, timed(&barrier, times, || dispatch(point, times, &mut message)))
            } else {
                let dispatch_ns = timed(&barrier, times, || dispatch(point, times, &mut Message::new("bench", "")));
                (raw_loop(), dispatch_ns)
            };
            costs.push((raw_ns, dispatch_ns));
        }
        // The first round only warms up.
        costs.remove(0);
        costs
    };
    let by_thread: Vec<Vec<(f64, f64)>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        running.into_iter().map(|thread| thread.join().expect("measuring does not panic")).collect()
    });
    // A round is as slow as its slowest thread.
    let slowest = |round: usize, pick: fn(&(f64, f64)) -> f64| {
        by_thread.iter().map(|costs| pick(&costs[round])).fold(0.0, f64::max)
    };
    let best = |pick| (0..rounds as usize).map(|round| slowest(round, pick)).fold(f64::INFINITY, f64::min);
    Cost { callbacks: raw.len, threads, raw_ns: best(|cost| cost.0), dispatch_ns: best(|cost| cost.1) }
}

/// How many dispatches fill a round.
fn times(point: &HookPoint<MessageDelivered>) -> u32 {
    let mut message = Message::new("bench", "a message");
    let start = Instant::now();
    dispatch(point, 1_000, &mut message);
    let each = start.elapsed().as_secs_f64() / 1_000.0;
    (ROUND.as_secs_f64() / each).clamp(100.0, 1_000_000.0) as u32
}

/// Starts together with all other threads; returns nanoseconds per dispatch.
fn timed(barrier: &Barrier, times: u32, run: impl FnOnce()) -> f64 {
    barrier.wait();
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e9 / f64::from(times)
}

#[inline(never)]
fn dispatch(point: &HookPoint<MessageDelivered>, times: u32, message: &mut Message) {
    for _ in 0..times {
        let outcome = point.dispatch(black_box(&mut *message));
        assert_eq!(outcome.decision(), Decision::Passed);
    }
}

impl Raw {
    fn of(point: &HookPoint<MessageDelivered>) -> Self {
        let pairs: Vec<_> = point.raw_pairs().into_iter().map(|(run, ctx)| Pair { run, ctx }).collect();
        let line = |pairs: &[Pair]| Line(std::array::from_fn(|index| pairs[index.min(pairs.len() - 1)]));
        Raw { lines: pairs.chunks(4).map(line).collect(), len: pairs.len() }
    }

    #[inline(never)]
    fn run(&self, times: u32, message: &mut Message) {
        // SAFETY: lines are pairs without gaps, and the first `len` of them are in use.
        let pairs = unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<Pair>(), self.len) };
        for _ in 0..times {
            let payload = from_mut(black_box(&mut *message)).cast();
            for pair in pairs {
                // SAFETY: the pairs are those of a point whose payload this is, and its callbacks
                // stay registered while we measure.
                assert_eq!(unsafe { (pair.run)(pair.ctx, payload) }, 0);
            }
        }
    }
}

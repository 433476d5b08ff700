//! The cost of a dispatch compared with two raw loops over the same function pointers.

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
    /// The raw loop with eight call sites.
    pub(crate) unrolled_ns: f64,
    pub(crate) dispatch_ns: f64,
}

impl Cost {
    /// Slower than any.
    pub(crate) fn slowest(callbacks: usize, threads: usize) -> Self {
        let slowest = f64::INFINITY;
        Cost { callbacks, threads, raw_ns: slowest, unrolled_ns: slowest, dispatch_ns: slowest }
    }

    /// Takes each time of `other` that is lower.
    pub(crate) fn lower_to(&mut self, other: &Cost) {
        self.raw_ns = self.raw_ns.min(other.raw_ns);
        self.unrolled_ns = self.unrolled_ns.min(other.unrolled_ns);
        self.dispatch_ns = self.dispatch_ns.min(other.dispatch_ns);
    }

    /// The faster of the two loops, and its time.
    pub(crate) fn limit(&self) -> (&'static str, f64) {
        if self.raw_ns < self.unrolled_ns { ("raw loop", self.raw_ns) } else { ("unrolled", self.unrolled_ns) }
    }
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

/// Measures the loops and dispatch in turn, on all threads at once, so that a disturbance affects all. The point's
/// callbacks must not be unregistered meanwhile.
pub(crate) fn cost(point: &HookPoint<MessageDelivered>, threads: usize, rounds: u32) -> Cost {
    let raw = Raw::of(point);
    let times = times(point);
    let barrier = Barrier::new(threads);
    let measure = || {
        let mut message = Message::new("bench", "a message");
        let mut rounds_ns = Vec::with_capacity(rounds as usize);
        for round in 0..=rounds as usize {
            let mut ns = [0.0; 3];
            // The side that runs first finds colder caches, so each is first in turn.
            for side in (0..3).map(|side| (side + round) % 3) {
                ns[side] = timed(&barrier, times, || match side {
                    0 => raw.run(times, &mut message),
                    1 => raw.run_unrolled(times, &mut message),
                    _ => dispatch(point, times, &mut message),
                });
            }
            rounds_ns.push(ns);
        }
        // The first round only warms up.
        rounds_ns.remove(0);
        rounds_ns
    };
    let by_thread: Vec<Vec<[f64; 3]>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        running.into_iter().map(|thread| thread.join().expect("measuring does not panic")).collect()
    });
    // A round is as slow as its slowest thread.
    let slowest = |round: usize, side: usize| by_thread.iter().map(|rounds| rounds[round][side]).fold(0.0, f64::max);
    let best = |side| (0..rounds as usize).map(|round| slowest(round, side)).fold(f64::INFINITY, f64::min);
    Cost { callbacks: raw.len, threads, raw_ns: best(0), unrolled_ns: best(1), dispatch_ns: best(2) }
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

    fn pairs(&self) -> &[Pair] {
        // SAFETY: lines are pairs without gaps, and the first `len` of them are in use.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    #[inline(never)]
    fn run(&self, times: u32, message: &mut Message) {
        let pairs = self.pairs();
        for _ in 0..times {
            let payload = from_mut(black_box(&mut *message)).cast();
            for pair in pairs {
                // SAFETY: the pairs are those of a point whose payload this is, and its callbacks
                // stay registered while we measure.
                assert_eq!(unsafe { (pair.run)(pair.ctx, payload) }, 0);
            }
        }
    }

    #[inline(never)]
    fn run_unrolled(&self, times: u32, message: &mut Message) {
        for _ in 0..times {
            let payload = from_mut(black_box(&mut *message)).cast();
            let mut pairs = self.pairs().iter();
            macro_rules! sites {
                ($($site:literal)*) => {
                    'chain: loop {
                        $(
                            let _ = $site;
                            let Some(pair) = pairs.next() else { break 'chain };
                            // SAFETY: as in `run`: the pairs are those of a point whose payload this is, and its
                            // callbacks stay registered while we measure.
                            assert_eq!(unsafe { (pair.run)(pair.ctx, payload) }, 0);
                        )*
                    }
                };
            }
            sites!(0 1 2 3 4 5 6 7);
        }
    }
}

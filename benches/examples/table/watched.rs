//! The rows about recording dispatches.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hookrail::StatsLevel;
use hookrail_abi::Point;
use hookrail_benches::WorkDone;

use super::bound::{Bound, ROUNDS};
use super::shared::rounds::{Compared, compare};
use super::shared::{hosts, loops};

/// The rows of the table.
pub(super) const ROWS: [(&str, &str, Bound); 4] = [
    ("counted, per callback", "at most 1 ns over off", Bound::More(1.0)),
    ("counted, per dispatch", "printed", Bound::Beside),
    ("timed, per boundary", "the clock's own cost + 3 ns", Bound::More(3.0)),
    ("timed, per dispatch", "printed", Bound::Beside),
];

/// Measures all of them.
pub(super) fn measure(found: &dyn Fn(&str, String, Compared)) {
    const TURN: Duration = Duration::from_micros(200);
    for len in [1, 2, 4, 8, 16, 64] {
        let (_off, off) = hosts::with(len);
        let (counted_host, counted) = hosts::with(len);
        let (timed_host, timed) = hosts::with(len);
        counted_host.set_level(WorkDone::NAME, StatsLevel::Count).expect("its own point");
        timed_host.set_level(WorkDone::NAME, StatsLevel::Histogram).expect("its own point");
        let off = |n| loops::dispatch(n, &off, len);
        let counted = compare(ROUNDS, TURN, off, |n| loops::dispatch(n, &counted, len));
        let timed = |n| loops::dispatch(n, &timed, len);
        found(ROWS[0].0, len.to_string(), counted.per(len));
        found(ROWS[1].0, len.to_string(), counted);
        // As many clock reads as a timed chain has boundaries.
        let boundaries = len + 1;
        let clocks = |n| off(n) + clock(n * boundaries as u64);
        found(ROWS[2].0, len.to_string(), compare(ROUNDS, TURN, clocks, timed).per(boundaries));
        found(ROWS[3].0, len.to_string(), compare(ROUNDS, TURN, off, timed));
    }
}

/// The time of `reads` clock reads.
fn clock(reads: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..reads {
        black_box(Instant::now());
    }
    start.elapsed()
}

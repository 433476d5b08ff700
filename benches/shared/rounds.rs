//! Interleaved rounds. The very same loop takes 1.0 or 1.5 ns per callback from one moment to the next, so a candidate
//! and its baseline alternate, and each round is compared within itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::loops::{PLACES, set_place};

/// A candidate compared with its baseline. Times are nanoseconds per run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Compared {
    pub(crate) baseline: f64,
    pub(crate) candidate: f64,
    /// How much more the candidate takes, per round: the minimum and the median.
    pub(crate) more: (f64, f64),
    /// The candidate divided by its baseline, per round: the minimum and the median.
    pub(crate) ratio: (f64, f64),
}

/// Alternates the two sides for a number of rounds (preferably odd, so that one is the median), each turn for about
/// `time`: many short turns are disturbed less by the rest of the machine than a few long ones. A side runs as often as
/// it is told, and returns how long that took.
pub(crate) fn compare(
    rounds: usize,
    time: Duration,
    baseline: impl Fn(u64) -> Duration,
    candidate: impl Fn(u64) -> Duration,
) -> Compared {
    let fastest = |side: &dyn Fn(u64) -> Duration| {
        let at = |place| {
            set_place(place);
            (0..5).map(|_| side(1000)).min()
        };
        let (least, place) = (0..PLACES).map(|place| (at(place), place)).min().expect("there are places");
        let runs = time.as_nanos() * 1000 / least.expect("five times").as_nanos().max(1) + 1;
        (place, runs as u64)
    };
    let turn = |side: &dyn Fn(u64) -> Duration, (place, runs)| {
        set_place(place);
        side(runs).as_nanos() as f64 / runs as f64
    };
    let (of_baseline, of_candidate) = (fastest(&baseline), fastest(&candidate));
    let (baseline, candidate) = (|| turn(&baseline, of_baseline), || turn(&candidate, of_candidate));
    Compared::of((0..rounds).map(|round| {
        // The sides alternate in coming first.
        if round % 2 == 0 {
            let first = baseline();
            (first, candidate())
        } else {
            let first = candidate();
            (baseline(), first)
        }
    }))
}

impl Compared {
    /// From pairs of times, baseline first, one per round.
    pub(crate) fn of(rounds: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let rounds: Vec<_> = rounds.into_iter().collect();
        let each = |of: fn(&(f64, f64)) -> f64| least_and_median(rounds.iter().map(of));
        Compared {
            baseline: each(|(baseline, _)| *baseline).1,
            candidate: each(|(_, candidate)| *candidate).1,
            more: each(|(baseline, candidate)| candidate - baseline),
            ratio: each(|(baseline, candidate)| candidate / baseline),
        }
    }

    /// The cost of one of several equal parts.
    pub(crate) fn per(&self, parts: usize) -> Self {
        let each = |all: f64| all / parts as f64;
        let Compared { baseline, candidate, more: (least, median), ratio } = *self;
        Compared { baseline: each(baseline), candidate: each(candidate), more: (each(least), each(median)), ratio }
    }

    /// Combines the same comparison from several processes.
    pub(crate) fn across(processes: &[Compared]) -> Self {
        let over = |of: fn(&Compared) -> f64| least_and_median(processes.iter().map(of));
        Compared {
            baseline: over(|one| one.baseline).1,
            candidate: over(|one| one.candidate).1,
            more: (over(|one| one.more.0).0, over(|one| one.more.1).1),
            ratio: (over(|one| one.ratio.0).0, over(|one| one.ratio.1).1),
        }
    }
}

fn least_and_median(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    (values[0], values[values.len() / 2])
}

//! Durations of calls: counts in buckets that grow with the value, eight to each doubling.

use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_model::stats::Latency;

use super::shards::add;

/// Eight buckets to a doubling: a quantile is at most an eighth too high.
const PER_DOUBLING: usize = 8;
const BUCKETS: usize = (u64::BITS as usize - 2) * PER_DOUBLING;

/// The durations on one thread, in nanoseconds. Only that thread writes it.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    longest: AtomicU64,
    total: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            longest: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    pub(super) fn note(&self, nanoseconds: u64) {
        add(&self.counts[bucket(nanoseconds)], 1);
        add(&self.total, nanoseconds);
        // Relaxed, here and below: numbers with a single writer.
        if nanoseconds > self.longest.load(Ordering::Relaxed) {
            self.longest.store(nanoseconds, Ordering::Relaxed);
        }
    }
}

/// The quantiles over all threads; `None` if nothing was timed.
pub(super) fn latency<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Option<Latency> {
    let mut counts = [0; BUCKETS];
    let (mut max_ns, mut total_ns) = (0, 0);
    for histogram in histograms {
        max_ns = max_ns.max(histogram.longest.load(Ordering::Relaxed));
        total_ns += histogram.total.load(Ordering::Relaxed);
        for (sum, count) in counts.iter_mut().zip(&histogram.counts) {
            *sum += count.load(Ordering::Relaxed);
        }
    }
    let timed: u64 = counts.iter().sum();
    let quantile = |of: f64| {
        let rank = ((timed as f64 * of).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = |count: &u64| {
            seen += count;
            seen >= rank
        };
        counts.iter().position(reached).map_or(0, |bucket| highest(bucket).min(max_ns))
    };
    if timed == 0 {
        return None;
    }
    let mut latency = Latency::default();
    (latency.timed, latency.max_ns, latency.total_ns) = (timed, max_ns, total_ns);
    (latency.p50_ns, latency.p99_ns, latency.p999_ns) = (quantile(0.5), quantile(0.99), quantile(0.999));
    Some(latency)
}

/// The bucket of a value.
fn bucket(value: u64) -> usize {
    if value < PER_DOUBLING as u64 {
        return value as usize;
    }
    let exponent = value.ilog2() as usize;
    (exponent - 2) * PER_DOUBLING + (value >> (exponent - 3)) as usize % PER_DOUBLING
}

/// The highest value in a bucket.
fn highest(bucket: usize) -> u64 {
    if bucket < PER_DOUBLING {
        return bucket as u64;
    }
    let (exponent, part) = (bucket / PER_DOUBLING + 2, (bucket % PER_DOUBLING + PER_DOUBLING) as u64);
    (part << (exponent - 3)) + ((1 << (exponent - 3)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_lies_between_its_neighbours() {
        for value in (0..200).chain([1000, 1 << 20, (1 << 40) + 12345, u64::MAX]) {
            let own = bucket(value);
            assert!(value <= highest(own), "{value}");
            assert!(own == 0 || value > highest(own - 1), "{value}");
            assert!(highest(own) as f64 <= value as f64 * 1.125, "{value}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_all_threads() {
        let [one, other] = [Histogram::default(), Histogram::default()];
        (1..=900).for_each(|_| one.note(100));
        (1..=99).for_each(|_| other.note(1000));
        other.note(7777);
        let found = latency([&one, &other].into_iter()).unwrap();
        assert_eq!((found.timed, found.max_ns, found.total_ns), (1000, 7777, 900 * 100 + 99 * 1000 + 7777));
        assert!((100..=112).contains(&found.p50_ns), "{found:?}");
        assert!((1000..=1125).contains(&found.p99_ns), "{found:?}");
        assert!((1000..=1125).contains(&found.p999_ns), "{found:?}");
        assert_eq!(latency(std::iter::empty()), None);
    }
}

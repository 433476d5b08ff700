//! Durations, counted in classes: eight to each power of two, so that a class is 12.5 % wide.

use std::time::Duration;

const IN_EACH: usize = 8;

/// The number of durations in each class.
#[derive(Clone, Debug)]
pub struct Histogram {
    classes: Vec<u64>,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { classes: vec![0; 64 * IN_EACH], longest: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        self.classes[class(duration.as_nanos() as u64)] += 1;
        self.longest = self.longest.max(duration);
    }

    /// Adds the counts of another histogram.
    pub fn add(&mut self, other: &Histogram) {
        self.classes.iter_mut().zip(&other.classes).for_each(|(own, other)| *own += other);
        self.longest = self.longest.max(other.longest);
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// The longest duration, exact.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The duration that `share` of them do not exceed: the upper end of its class, so never too small.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = self.classes.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(Duration::ZERO, |class| Duration::from_nanos(upper_end(class)).min(self.longest))
    }
}

fn class(nanoseconds: u64) -> usize {
    let value = nanoseconds.max(IN_EACH as u64);
    let power = value.ilog2() as usize;
    let part = (value >> (power - 3)) as usize % IN_EACH;
    (power - 3) * IN_EACH + part
}

fn upper_end(class: usize) -> u64 {
    let (power, part) = (class / IN_EACH, class % IN_EACH);
    ((IN_EACH + part + 1) as u64) << power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_it_counts() {
        for nanoseconds in [8, 9, 15, 16, 17, 100, 1_000, 123_456, 10_000_000_000] {
            let end = upper_end(class(nanoseconds));
            assert!(nanoseconds < end && end <= nanoseconds + nanoseconds / 8 + 1, "{nanoseconds}: {end}");
        }
    }

    #[test]
    fn a_quantile_is_never_too_little() {
        let mut histogram = Histogram::default();
        (1..=10_000).for_each(|micros| histogram.record(Duration::from_micros(micros)));
        let median = histogram.quantile(0.5);
        assert!(median >= Duration::from_micros(5_000) && median < Duration::from_micros(5_700), "{median:?}");
        assert_eq!(histogram.quantile(1.0), histogram.longest());
        assert_eq!((histogram.count(), histogram.longest()), (10_000, Duration::from_millis(10)));
    }
}

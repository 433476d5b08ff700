//! How often the instances of a plugin may write: each write costs what a write to the disk costs.

use std::time::{Duration, Instant};

/// How many writes may come at once.
const AT_ONCE: u32 = 10;

/// How long it takes until one more may come.
const EACH: Duration = Duration::from_secs(1);

/// The rule, for who is over it.
pub(super) const RULE: &str = "10 times at once, and then once a second";

/// The writes that are left.
pub(super) struct Bucket {
    left: u32,
    /// When what is left was counted.
    since: Instant,
}

impl Bucket {
    pub(super) fn full() -> Self {
        Bucket { left: AT_ONCE, since: Instant::now() }
    }

    /// Takes one; returns whether one was left.
    pub(super) fn take(&mut self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> bool {
        let more = (now.saturating_duration_since(self.since).as_millis() / EACH.as_millis()).min(u128::from(AT_ONCE));
        // At most ten.
        let more = more as u32;
        self.since = if self.left + more >= AT_ONCE { now } else { self.since + EACH * more };
        self.left = (self.left + more).min(AT_ONCE);
        let is_left = self.left > 0;
        self.left -= u32::from(is_left);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_come_at_once_and_then_one_a_second() {
        let (mut bucket, began) = (Bucket::full(), Instant::now());
        let mut taken = |seconds| (0..20).filter(|_| bucket.take_at(began + Duration::from_millis(seconds))).count();
        assert_eq!([0, 900, 1100, 1900, 4200, 100_000].map(&mut taken), [10, 0, 1, 0, 3, 10]);
        assert!(RULE.starts_with(&AT_ONCE.to_string()));
    }
}

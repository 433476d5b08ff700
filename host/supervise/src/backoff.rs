//! How long to wait before the next start.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use hookrail_model::unit::Restarts;

/// Counts the ends of one unit that nobody has asked for, and says when to start it again, as [`Restarts`] has it.
///
/// ```
/// use std::time::Duration;
/// use hookrail_supervise::{Backoff, Next, Restarts};
///
/// let restarts = Restarts::default().with_first(Duration::from_secs(1)).with_limit(3);
/// let mut backoff = Backoff::new(restarts);
/// assert_eq!(backoff.ended(), Next::Start { after: Duration::ZERO });
/// assert!(matches!(backoff.ended(), Next::Start { after } if after >= Duration::from_millis(500)));
/// assert_eq!(backoff.ended(), Next::Fail { ends: 3 });
/// ```
pub struct Backoff {
    restarts: Restarts,
    ends: u32,
    random: Box<dyn FnMut() -> f64 + Send>,
}

/// What to do after an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it has ended too often.
    Fail {
        /// How often in a row.
        ends: u32,
    },
    /// Start it again.
    Start {
        /// After that time.
        after: Duration,
    },
}

impl Backoff {
    /// A unit that has not ended yet.
    pub fn new(restarts: Restarts) -> Self {
        let keys = RandomState::new();
        let mut count = 0_u64;
        Self::with_random(restarts, move || {
            count = count.wrapping_add(1);
            (keys.hash_one(count) >> 11) as f64 / (1_u64 << 53) as f64
        })
    }

    /// The same with a source of random numbers, from 0 to 1.
    pub fn with_random(restarts: Restarts, random: impl FnMut() -> f64 + Send + 'static) -> Self {
        Backoff { restarts, ends: 0, random: Box::new(random) }
    }

    /// It has ended once more.
    pub fn ended(&mut self) -> Next {
        self.ends = self.ends.saturating_add(1);
        if self.ends >= self.restarts.limit {
            return Next::Fail { ends: self.ends };
        }
        let Some(doublings) = self.ends.checked_sub(2) else { return Next::Start { after: Duration::ZERO } };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let longest = self.restarts.first.saturating_mul(factor).min(self.restarts.longest);
        let part = 1.0 - (self.random)().clamp(0.0, 1.0) / 2.0;
        let after = Duration::try_from_secs_f64(longest.as_secs_f64() * part).unwrap_or(longest);
        Next::Start { after: after.min(longest) }
    }

    /// It does its work: what came before counts no longer.
    pub fn progress(&mut self) {
        self.ends = 0;
    }

    /// How often it has ended in a row.
    pub fn ends(&self) -> u32 {
        self.ends
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backoff").field("restarts", &self.restarts).field("ends", &self.ends).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restarts() -> Restarts {
        Restarts::default()
            .with_first(Duration::from_millis(100))
            .with_longest(Duration::from_secs(1))
            .with_limit(u32::MAX)
    }

    fn waits(random: f64) -> Vec<u128> {
        let mut backoff = Backoff::with_random(restarts(), move || random);
        let wait = |next| match next {
            Next::Start { after } => after.as_millis(),
            Next::Fail { .. } => panic!("it is not to fail"),
        };
        (0..7).map(|_| wait(backoff.ended())).collect()
    }

    #[test]
    fn waits_begin_at_once_double_and_stop_growing() {
        assert_eq!(waits(0.0), [0, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(waits(1.0), [0, 50, 100, 200, 400, 500, 500]);
        assert_eq!(waits(f64::INFINITY), waits(1.0));
    }

    #[test]
    fn it_fails_after_as_many_ends_in_a_row_as_were_said() {
        for limit in [0, 1] {
            assert_eq!(Backoff::new(restarts().with_limit(limit)).ended(), Next::Fail { ends: 1 });
        }
        let mut backoff = Backoff::new(restarts().with_limit(3));
        for _ in 0..5 {
            assert!(matches!((backoff.ended(), backoff.ended()), (Next::Start { .. }, Next::Start { .. })));
            backoff.progress();
            assert_eq!(backoff.ends(), 0);
        }
        backoff.ended();
        backoff.ended();
        assert_eq!(backoff.ended(), Next::Fail { ends: 3 });
    }

    #[test]
    fn no_number_of_ends_overflows() {
        for random in [0.0, 0.5, 1.0] {
            let restarts = restarts().with_first(Duration::MAX).with_longest(Duration::MAX);
            let mut backoff = Backoff::with_random(restarts, move || random);
            for _ in 0..200 {
                let Next::Start { after } = backoff.ended() else { panic!("it is not to fail") };
                assert!(after == Duration::ZERO || after >= Duration::MAX / 3);
            }
        }
    }

    #[test]
    fn waits_differ_from_unit_to_unit() {
        let wait = || {
            let mut backoff = Backoff::new(restarts());
            (backoff.ended(), backoff.ended()).1
        };
        let first = wait();
        assert!((0..100).any(|_| wait() != first));
    }
}

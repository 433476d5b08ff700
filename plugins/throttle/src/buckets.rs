//! Token buckets in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How many buckets are examined to find the fullest.
const LOOKED_AT: usize = 16;

/// Token buckets by key, in limited number.
///
/// A bucket is one number: the time at which it will be full again. Taking a token postpones that by one interval;
/// there is no token left if it would be more than `burst` intervals ahead. So a full bucket is equivalent to none, and
/// forgetting the fullest one loses the least.
///
/// Keys are stored as a hash with a secret of this table: a key of any length costs the same, and a sender cannot
/// choose keys that share a bucket.
///
/// # Invariants
/// `places` maps the key of each bucket to its index, and nothing else.
pub(crate) struct Buckets {
    /// The time in which a bucket gains a token, in nanoseconds.
    interval: u128,
    /// The furthest time ahead at which a bucket may be full again, in nanoseconds.
    depth: u128,
    max_keys: usize,
    secret: RandomState,
    places: HashMap<u64, usize>,
    buckets: Vec<Bucket>,
    /// Where the search for a bucket to forget continues.
    hand: usize,
}

struct Bucket {
    key: u64,
    full_at: u128,
}

impl Buckets {
    /// Buckets of `burst` tokens that gain one per `interval`, for at most `max_keys` keys; `burst` and `max_keys` must
    /// be above 0.
    pub(crate) fn new(interval: Duration, burst: u32, max_keys: usize) -> Self {
        // 128 bits hold the product of the longest interval and the largest burst, so nothing below overflows.
        let interval = interval.as_nanos();
        Buckets {
            interval,
            depth: interval * u128::from(burst),
            max_keys,
            secret: RandomState::new(),
            places: HashMap::new(),
            buckets: Vec::new(),
            hand: 0,
        }
    }

    /// Takes a token from the bucket of `key`; returns false if there is none. `now` is the time since any fixed
    /// instant, the same one for all calls.
    pub(crate) fn take(&mut self, key: &[u8], now: Duration) -> bool {
        let now = now.as_nanos();
        let key = self.secret.hash_one(key);
        let place = self.places.get(&key).copied().unwrap_or_else(|| self.add(key));
        let bucket = &mut self.buckets[place];
        let full_at = bucket.full_at.max(now) + self.interval;
        let there_is_one = full_at - now <= self.depth;
        if there_is_one {
            bucket.full_at = full_at;
        }
        there_is_one
    }

    /// Adds a full bucket, in place of another one if the limit is reached.
    fn add(&mut self, key: u64) -> usize {
        let bucket = Bucket { key, full_at: 0 };
        let place = if self.buckets.len() < self.max_keys {
            self.buckets.push(bucket);
            self.buckets.len() - 1
        } else {
            let place = self.one_to_forget();
            self.places.remove(&self.buckets[place].key);
            self.buckets[place] = bucket;
            place
        };
        // INVARIANT: the bucket that had this place has been removed from the map.
        self.places.insert(key, place);
        place
    }

    /// The fullest of the next few buckets. The exact answer would cost a search through all of them for every new key,
    /// which a flood of new keys would exploit.
    fn one_to_forget(&mut self) -> usize {
        let count = self.buckets.len();
        let looked_at = (0..LOOKED_AT.min(count)).map(|step| (self.hand + step) % count);
        let fullest = looked_at.min_by_key(|place| self.buckets[*place].full_at);
        self.hand = (self.hand + LOOKED_AT) % count;
        fullest.expect("`max_keys` is above 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn taken(buckets: &mut Buckets, key: &str, now: Duration) -> usize {
        (0..1_000).take_while(|_| buckets.take(key.as_bytes(), now)).count()
    }

    #[test]
    fn a_bucket_begins_full_and_refills_up_to_its_burst() {
        let mut buckets = Buckets::new(SECOND / 10, 5, 10);
        for (milliseconds, tokens) in [(0, 5), (0, 0), (99, 0), (100, 1), (350, 2), (400, 1), (100_000, 5)] {
            let now = Duration::from_millis(milliseconds);
            assert_eq!(taken(&mut buckets, "a", now), tokens, "at {now:?}");
        }
    }

    #[test]
    fn asking_an_empty_bucket_costs_nothing() {
        let mut buckets = Buckets::new(SECOND, 1, 10);
        assert!(buckets.take(b"a", Duration::ZERO));
        assert!((1..1_000).all(|ms| !buckets.take(b"a", Duration::from_millis(ms))));
        assert!(buckets.take(b"a", SECOND));
    }

    #[test]
    fn the_long_run_rate_is_exact() {
        let mut buckets = Buckets::new(SECOND / 1_000, 1, 10);
        let asked = (0..1_000_000).map(|step| Duration::from_micros(step * 10));
        let admitted = asked.filter(|now| buckets.take(b"a", *now)).count();
        assert_eq!(admitted, 10_000, "10 seconds at 1000 per second");
    }

    #[test]
    fn keys_have_a_bucket_each() {
        let mut buckets = Buckets::new(SECOND, 3, 10);
        assert_eq!(taken(&mut buckets, "a", Duration::ZERO), 3);
        assert_eq!(taken(&mut buckets, "b", Duration::ZERO), 3);
        assert_eq!(taken(&mut buckets, "a", Duration::ZERO), 0);
    }

    #[test]
    fn a_clock_that_steps_back_refills_nothing() {
        let mut buckets = Buckets::new(SECOND, 1, 10);
        assert!(buckets.take(b"a", 10 * SECOND));
        assert!(!buckets.take(b"a", 5 * SECOND));
    }

    #[test]
    fn a_flood_of_keys_takes_bounded_memory() {
        let mut buckets = Buckets::new(SECOND, 1, 100);
        for key in 0..10_000_u32 {
            buckets.take(&key.to_le_bytes(), Duration::ZERO);
            assert!(buckets.places.len() == buckets.buckets.len() && buckets.buckets.len() <= 100);
        }
        for (place, bucket) in buckets.buckets.iter().enumerate() {
            assert_eq!(buckets.places[&bucket.key], place);
        }
    }

    #[test]
    fn a_flood_of_keys_does_not_free_a_key_that_sent_too_much() {
        let mut buckets = Buckets::new(SECOND, 5, 100);
        assert_eq!(taken(&mut buckets, "loud", Duration::ZERO), 5);
        for key in 0..10_000_u32 {
            buckets.take(&key.to_le_bytes(), Duration::ZERO);
        }
        assert_eq!(taken(&mut buckets, "loud", Duration::ZERO), 0);
    }

    #[test]
    fn the_longest_interval_and_the_largest_numbers_still_count() {
        let mut buckets = Buckets::new(Duration::MAX, 2, 1);
        assert_eq!(taken(&mut buckets, "a", Duration::MAX), 2);
        let mut buckets = Buckets::new(Duration::MAX, u32::MAX, 1);
        assert_eq!(taken(&mut buckets, "a", Duration::MAX), 1_000);
    }
}

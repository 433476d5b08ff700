//! Pseudorandom numbers by xorshift: the same for the same seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// The state, from which the next number is made.
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn of(seed: u64) -> Self {
        // Xorshift never leaves 0.
        Random(seed | 1)
    }

    /// The numbers of the seed in `HOOKRAIL_SEED`, else of a different one in every run. Prints the seed.
    pub fn of_run() -> Self {
        let seed = match std::env::var("HOOKRAIL_SEED") {
            Ok(seed) => seed.parse().expect("HOOKRAIL_SEED is a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_nanos() as u64,
        };
        println!("HOOKRAIL_SEED={seed}");
        let mut random = Random::of(seed);
        // The first numbers of similar seeds are similar.
        (0..4).for_each(|_| _ = random.number());
        random
    }

    /// Any number except 0.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    /// A number from 0 to 1.
    pub fn part(&mut self) -> f64 {
        self.number() as f64 / u64::MAX as f64
    }
}

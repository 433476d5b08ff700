//! Numbers by xorshift: the same for the same seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// The next number, and the one it is made of.
pub struct Random(u64);

impl Random {
    /// Those of a seed.
    pub fn of(seed: u64) -> Self {
        // From 0 there is no way on.
        Random(seed | 1)
    }

    /// Those of the seed that `HOOKRAIL_SEED` says, else of another one in every run. Prints it.
    pub fn of_run() -> Self {
        let seed = match std::env::var("HOOKRAIL_SEED") {
            Ok(seed) => seed.parse().expect("HOOKRAIL_SEED is a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_nanos() as u64,
        };
        println!("HOOKRAIL_SEED={seed}");
        let mut random = Random::of(seed);
        // Seeds that lie close together begin alike.
        (0..4).for_each(|_| _ = random.number());
        random
    }

    /// Any number but 0.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One that is less.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    /// From 0 to 1.
    pub fn part(&mut self) -> f64 {
        self.number() as f64 / u64::MAX as f64
    }
}

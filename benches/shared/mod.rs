//! What the benchmarks and the table measure: written once, timed by both.
#![allow(dead_code, reason = "each of them uses a part")]

pub(crate) mod by_hand;
pub(crate) mod hosts;
pub(crate) mod lanes;
pub(crate) mod load;
pub(crate) mod loops;
pub(crate) mod memory;
pub(crate) mod other_side;
pub(crate) mod peers;
pub(crate) mod ping_pong;
pub(crate) mod pins;
pub(crate) mod processor;
pub(crate) mod register;
pub(crate) mod reloaders;
pub(crate) mod replace;
pub(crate) mod republish;
pub(crate) mod rounds;
pub(crate) mod swap;
pub(crate) mod telling;

/// The chain lengths at which everything is measured.
pub(crate) const LENGTHS: [usize; 8] = [0, 1, 2, 4, 8, 16, 64, 256];

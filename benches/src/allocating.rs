//! A plugin that allocates: counted in one library, not counted in the other.

use std::hint::black_box;

use hookrail_abi::prelude::*;

use crate::{Work, WorkDone};

/// Allocates blocks of 64 bytes and frees them, in each call.
#[derive(Debug)]
pub struct Allocating {
    blocks: usize,
}

/// The number of blocks at a time.
#[config]
#[derive(Clone, Copy, Debug)]
pub struct AllocatingConfig {
    /// 1 to 8.
    pub blocks: usize,
}

impl Allocating {
    fn allocate(&self, work: &mut Work) {
        let mut blocks = [const { None }; 8];
        blocks[..self.blocks].fill_with(|| Some(Box::new([0u8; 64])));
        black_box(&blocks);
        work.count += 1;
    }
}

impl Plugin for Allocating {
    type Config = AllocatingConfig;
    const HOOKS: Hooks<Self> = hooks![WorkDone, "allocate" => Self::allocate, priority = 10, effects = pure];

    fn start(_: &Startup, config: AllocatingConfig) -> Result<Self> {
        Ok(Allocating { blocks: config.blocks })
    }
}

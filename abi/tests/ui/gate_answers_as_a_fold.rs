//! A callback of a gate that answers as if it were a fold: what skips the rest of a fold would let everybody in.

use hookrail_abi::points;
use hookrail_abi::prelude::*;

points! {
    /// Somebody knocks.
    // SAFETY: a number owns all it holds.
    unsafe Knocked: "door.knocked", 1, Gate<u64>;
}

struct Mine;

impl Mine {
    fn open(&self, _: &mut u64) -> Verdict {
        Verdict::Skip
    }
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![Knocked, "open" => Self::open, priority = 10];
    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

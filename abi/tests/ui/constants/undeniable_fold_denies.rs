//! A callback that could deny, on a fold that cannot be denied.

use hookrail_abi::points;
use hookrail_abi::prelude::*;

points! {
    /// A number is rounded.
    // SAFETY: a number owns all it holds.
    unsafe Rounded: "number.rounded", 1, Fold<u64>;
}

struct Mine;

impl Mine {
    fn round(&self, _: &mut u64) -> Verdict {
        Verdict::Deny(7)
    }
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![Rounded, "round" => Self::round, priority = 10];
    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {
    let _ = Mine::HOOKS;
}

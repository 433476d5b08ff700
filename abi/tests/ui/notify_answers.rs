//! A callback of a notify point that wants to decide.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn judge(&self, _: &Message) -> Verdict {
        Verdict::Continue
    }
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessageDelivered, "judge" => Self::judge, priority = 10];
    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

//! Takes longer than it says itself that it may.
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

struct Specimen;

impl Specimen {
    fn dawdle(&self, _: &mut Message) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1) {}
    }
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "dawdle" => Self::dawdle, priority = 10, effects = pure, budget = Duration::from_micros(500);
        MessageDelivered, "look" => |_, _| (), priority = 10, budget = Duration::from_secs(3600);
        MessageDelivered, "look-again" => |_, _| (), priority = 20;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "declares-a-budget");

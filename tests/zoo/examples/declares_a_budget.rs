//! Takes longer than it says itself that it may.
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

struct Animal;

impl Animal {
    fn dawdle(&self, _: &mut Message) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1) {}
    }
}

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, 10, "dawdle", Self::dawdle, pure, budget = Duration::from_micros(500);
        MessageDelivered, 10, "look", |_, _| (), budget = Duration::from_secs(3600);
        MessageDelivered, 20, "look-again", |_, _| ();
    ];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "declares-a-budget");

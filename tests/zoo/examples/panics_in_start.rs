//! Panics in `start`.

use hookrail_abi::prelude::*;

struct Animal;

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        panic!("not today")
    }
}

export!(Animal, name = "panics-in-start");

//! Panics in `start`.

use hookrail_abi::prelude::*;

struct Animal;

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "look", |_, _| {}];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        panic!("not today")
    }
}

export!(Animal, name = "panics-in-start");

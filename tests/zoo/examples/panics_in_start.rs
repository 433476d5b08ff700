//! Panics in `start`.

use hookrail_abi::prelude::*;

struct Specimen;

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        panic!("not today")
    }
}

export!(Specimen, name = "panics-in-start");

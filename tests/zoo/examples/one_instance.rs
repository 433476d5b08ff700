//! Well-behaved, and allows one instance only.

use hookrail_abi::Instances;
use hookrail_abi::prelude::*;

struct Specimen;

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 300];
    const INSTANCES: Instances = Instances::One;

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "one-instance");

//! Well-behaved, and allows one instance only.

use hookrail_abi::Instances;
use hookrail_abi::prelude::*;

struct Animal;

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 300];
    const INSTANCES: Instances = Instances::One;

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "one-instance");

//! A callback that returns a number.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) -> u32 {
        77
    }
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "edit" => Self::edit, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

//! A callback of a notify point that wants to edit.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessageDelivered, "edit" => Self::edit, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

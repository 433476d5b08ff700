//! A callback of a notify point that wants to edit.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessageDelivered, 10, "edit", Self::edit];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

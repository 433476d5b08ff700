//! A callback that answers a number.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) -> u32 {
        77
    }
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "edit", Self::edit];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

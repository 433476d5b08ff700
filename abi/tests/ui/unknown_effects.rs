//! A hook with effects that are none.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "edit" => Self::edit, priority = 10, effects = harmless];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

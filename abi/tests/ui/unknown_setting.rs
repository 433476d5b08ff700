//! A setting that no hook has.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "edit" => Self::edit, priority = 10, weight = 3];
    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

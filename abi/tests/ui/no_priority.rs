//! A hook without a priority.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "edit" => Self::edit];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

//! A callback whose name cannot be part of `instance/callback`.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "my edit" => Self::edit, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

const _: Hooks<Mine> = Mine::HOOKS;

fn main() {}

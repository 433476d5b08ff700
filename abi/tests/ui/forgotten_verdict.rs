//! A callback that makes a verdict, and does not return it.

#![deny(unused_must_use)]

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn look(&self, message: &mut Message) {
        if message.body.is_empty() {
            Verdict::deny(400, "it is empty");
        }
    }
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

//! Callbacks that do nothing, so that `hookrail bench` measures only the calls.
use hookrail_abi::prelude::*;

struct Bench;

impl Bench {
    fn nothing(&self, _message: &Message) {}
}

impl Plugin for Bench {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessageDelivered, "nothing" => Self::nothing, priority = 2000, effects = pure];

    fn start(_host: &Startup, _config: NoConfig) -> Result<Self> {
        Ok(Bench)
    }
}

export!(Bench);

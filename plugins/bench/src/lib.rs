//! Callbacks that do nothing, so that `hookrail bench` measures the calls and nothing else.
use hookrail_abi::prelude::*;

struct Bench;

impl Bench {
    fn nothing(&self, _message: &Message) {}
}

impl Plugin for Bench {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessageDelivered, 2000, "nothing", Self::nothing, pure];

    fn start(_host: &Registrar, _config: NoConfig) -> Result<Self> {
        Ok(Bench)
    }
}

export!(Bench);

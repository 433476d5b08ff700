//! The plugin of the README: greets in every message.
use hookrail_abi::prelude::*;

struct Hello;

impl Hello {
    fn greet(&self, message: &mut Message) {
        message.add_header("greeting", "hello");
    }
}

impl Plugin for Hello {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "greet" => Self::greet, priority = 500, effects = pure];

    fn start(_host: &Startup, _config: NoConfig) -> Result<Self> {
        Ok(Hello)
    }
}

export!(Hello);

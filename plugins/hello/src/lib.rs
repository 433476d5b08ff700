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
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 500, "greet", Self::greet, pure];

    fn start(_host: &Registrar, _config: NoConfig) -> Result<Self> {
        Ok(Hello)
    }
}

export!(Hello);

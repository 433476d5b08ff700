//! Asks the host to keep its library, and says why.

use hookrail_abi::prelude::*;

struct Asks;

impl Asks {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Asks {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "look", Self::look];

    fn start(host: &Registrar, _: NoConfig) -> Result<Self> {
        host.keep_loaded("a device holds its address");
        Ok(Asks)
    }
}

export!(Asks, name = "asks-to-be-kept");

//! Starts a thread that nobody joins, and that goes on until the test closes a pipe.

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::End;

struct Leaves;

impl Leaves {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Leaves {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "look", Self::look];

    fn start(_: &Registrar, config: Config) -> Result<Self> {
        std::thread::spawn(move || config.until.wait());
        Ok(Leaves)
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    until: End,
}

export!(Leaves, name = "leaves-a-reading-thread");

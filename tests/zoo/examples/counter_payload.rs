//! A build of the plugin `counter` that knows another payload of `message.publish`.

use abi_stable::StableAbi;
use hookrail_abi::prelude::*;
use hookrail_abi::{Fold, points};

#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct Letter {
    pub topic: Text,
}

points! {
    // SAFETY: a text points into no library.
    pub unsafe local Publish: "message.publish", 1, Fold<Letter> {}
}

struct Animal;

impl Plugin for Animal {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![Publish, 300, "count", |_, letter| letter.topic.clear()];

    fn start(_: &Registrar, _: Config) -> Result<Self> {
        Ok(Animal)
    }

    fn restore(_: &Registrar, _: Config, _: State) -> Result<Self> {
        Ok(Animal)
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

export!(Animal, name = "counter");

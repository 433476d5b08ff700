//! A build of the plugin `counter` that hooks a point which no host has.

use hookrail_abi::prelude::*;
use hookrail_abi::{Fold, points};

points! {
    // SAFETY: a message points into no library.
    pub unsafe Nowhere: "zoo.nowhere", 1, Fold<Message> {}
}

struct Animal;

impl Plugin for Animal {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![Nowhere, 300, "count", |_, _| {}];

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

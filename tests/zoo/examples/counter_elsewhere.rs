//! A build of the plugin `counter` that hooks a point which no host has.

use hookrail_abi::prelude::*;
use hookrail_abi::{Fold, points};

points! {
    // SAFETY: a message points into no library.
    pub unsafe Nowhere: "zoo.nowhere", 1, Fold<Message> {}
}

struct Animal;

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![Nowhere, 300, "count", |_, _| {}];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Animal)
    }

    fn restore(_: &Registrar, _: NoConfig, _: State) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "counter");

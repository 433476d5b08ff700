//! Panics while its configuration is read, in `create`.

use hookrail_abi::prelude::*;

#[derive(schemars::JsonSchema)]
struct Config {}

impl<'de> serde::Deserialize<'de> for Config {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("no configuration suits me")
    }
}

struct Animal;

impl Plugin for Animal {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 10];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "panics-in-create");

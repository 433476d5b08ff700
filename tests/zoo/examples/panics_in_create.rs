//! Panics while its configuration is read, in `create`.

use hookrail_abi::prelude::*;

#[derive(schemars::JsonSchema)]
struct Config {}

impl<'de> serde::Deserialize<'de> for Config {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("no configuration suits me")
    }
}

struct Specimen;

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 10];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "panics-in-create");

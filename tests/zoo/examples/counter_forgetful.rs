//! A build of the plugin `counter` that has no state.

use hookrail_abi::prelude::*;

struct Specimen;

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> =
        hooks![MessagePublish, "count" => |_, message| message.add_header("build", "0"), priority = 300];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        Ok(Specimen)
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

export!(Specimen, name = "counter");

//! A build of the plugin `counter` that begins with a count of one digit only.

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
struct Config {
    #[expect(dead_code, reason = "only its schema matters")]
    #[schemars(range(max = 9))]
    first: u64,
}

export!(Specimen, name = "counter");

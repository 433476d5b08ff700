//! Exports a JSON Schema that is none.

use hookrail_abi::prelude::*;

struct Specimen;

#[derive(serde::Deserialize)]
struct Config {}

impl schemars::JsonSchema for Config {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "thing" })
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 300];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "says-the-schema-wrongly");

//! Well-behaved: each instance adds a header of its own, named as its configuration says.

use hookrail_abi::prelude::*;

struct Specimen {
    config: Config,
}

impl Specimen {
    fn mark(&self, message: &mut Message) {
        message.add_header(&self.config.key, &self.config.value);
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "mark" => Self::mark, priority = 300];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        match config.refuse {
            true => Err(format!("{} was told to refuse", host.name()).into()),
            false => Ok(Specimen { config }),
        }
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    key: String,
    #[schemars(length(max = 8))]
    value: String,
    #[serde(default)]
    refuse: bool,
}

export!(Specimen, name = "many-instances");

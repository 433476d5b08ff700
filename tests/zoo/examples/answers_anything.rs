//! Returns whatever number its configuration says, verdict or not.

use hookrail_abi::prelude::*;
use hookrail_abi::{Answer, Kind};

struct Specimen {
    answer: u32,
}

/// The SDK's own answers are always verdicts, so this one goes past them.
struct Raw(u32);

impl<K: Kind> Answer<K> for Raw {
    fn into_raw(self) -> u32 {
        self.0
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "fold" => |specimen: &Specimen, _| Raw(specimen.answer), priority = 10;
        MessageDelivered, "notify" => |specimen: &Specimen, _| Raw(specimen.answer), priority = 10;
    ];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        Ok(Specimen { answer: config.answer })
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    answer: u32,
}

export!(Specimen, name = "answers-anything");

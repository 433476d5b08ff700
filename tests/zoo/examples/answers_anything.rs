//! Answers whatever number its configuration says, verdict or not.

use hookrail_abi::Answer;
use hookrail_abi::prelude::*;

struct Animal {
    answer: u32,
}

/// The SDK's own answers are always verdicts, so this one goes past them.
struct Raw(u32);

impl Answer for Raw {
    fn into_raw(self) -> u32 {
        self.0
    }
}

impl Plugin for Animal {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, 10, "fold", |animal: &Animal, _| Raw(animal.answer);
        MessageDelivered, 10, "notify", |animal: &Animal, _| Raw(animal.answer);
    ];

    fn start(_: &Registrar, config: Config) -> Result<Self> {
        Ok(Animal { answer: config.answer })
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    answer: u32,
}

export!(Animal, name = "answers-anything");

//! Panics everywhere it may, with a payload that itself panics when dropped.

use hookrail_abi::prelude::*;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("whoever drops a panic's payload gets another")
    }
}

struct Animal;

impl Animal {
    fn explode(&self, _: &mut Message) {
        std::panic::panic_any(Bomb)
    }
}

impl Drop for Animal {
    fn drop(&mut self) {
        std::panic::panic_any(Bomb)
    }
}

impl Plugin for Animal {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "explode" => Self::explode, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        if config.at_start {
            std::panic::panic_any(Bomb)
        }
        Ok(Animal)
    }

    fn stop(&self) {
        std::panic::panic_any(Bomb)
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    #[serde(default)]
    at_start: bool,
}

export!(Animal, name = "panics-with-a-bomb");

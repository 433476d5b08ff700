//! Panics everywhere it may, with a payload that itself panics when dropped.

use hookrail_abi::prelude::*;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("whoever drops a panic's payload gets another")
    }
}

struct Specimen;

impl Specimen {
    fn explode(&self, _: &mut Message) {
        std::panic::panic_any(Bomb)
    }
}

impl Drop for Specimen {
    fn drop(&mut self) {
        std::panic::panic_any(Bomb)
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "explode" => Self::explode, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        if config.at_start {
            std::panic::panic_any(Bomb)
        }
        Ok(Specimen)
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

export!(Specimen, name = "panics-with-a-bomb");

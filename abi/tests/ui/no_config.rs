//! A configuration that nobody can read.

use hookrail_abi::prelude::*;

struct Config {
    mark: String,
}

struct Mine;

impl Plugin for Mine {
    type Config = Config;
    const HOOKS: Hooks<Self> = &[];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

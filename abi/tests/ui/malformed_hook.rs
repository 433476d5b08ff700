//! A hook that is nothing of the kind.

use hookrail_abi::prelude::*;

struct Mine;

impl Mine {
    fn edit(&self, _: &mut Message) {}
}

impl Plugin for Mine {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks!["edit" => Self::edit];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Mine)
    }
}

fn main() {}

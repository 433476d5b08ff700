//! Panics when its value is dropped, in `destroy`.

use hookrail_abi::prelude::*;

struct Animal;

impl Drop for Animal {
    fn drop(&mut self) {
        panic!("I stay")
    }
}

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "panics-in-drop");

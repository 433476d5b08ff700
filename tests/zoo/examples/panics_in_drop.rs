//! Panics when its value is dropped, in `destroy`.

use hookrail_abi::prelude::*;

struct Specimen;

impl Drop for Specimen {
    fn drop(&mut self) {
        panic!("I stay")
    }
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| {}, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "panics-in-drop");

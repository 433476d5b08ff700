//! Panics in its callbacks when the body says `boom`.

use hookrail_abi::prelude::*;

struct Specimen;

impl Specimen {
    fn look(message: &Message) {
        assert!(message.body.as_slice() != b"boom", "the body said boom");
    }
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "fold" => |_, message| Specimen::look(message), priority = 10;
        MessageDelivered, "notify" => |_, message| Specimen::look(message), priority = 10;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "panics-in-callback");

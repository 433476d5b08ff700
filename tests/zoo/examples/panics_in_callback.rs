//! Panics in its callbacks when the body says `boom`.

use hookrail_abi::prelude::*;

struct Animal;

impl Animal {
    fn look(message: &Message) {
        assert!(message.body.as_slice() != b"boom", "the body said boom");
    }
}

impl Plugin for Animal {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "fold" => |_, message| Animal::look(message), priority = 10;
        MessageDelivered, "notify" => |_, message| Animal::look(message), priority = 10;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "panics-in-callback");

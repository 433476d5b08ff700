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
        MessagePublish, 10, "fold", |_, message| Animal::look(message);
        MessageDelivered, 10, "notify", |_, message| Animal::look(message);
    ];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Animal)
    }
}

export!(Animal, name = "panics-in-callback");

//! Starts a thread and leaves it running.
use hookrail_abi::prelude::*;

struct Starts;

impl Starts {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Starts {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "look", Self::look];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
        Ok(Starts)
    }
}

export!(Starts, name = "starts-a-thread");

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
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
        Ok(Starts)
    }
}

export!(Starts, name = "starts-a-thread");

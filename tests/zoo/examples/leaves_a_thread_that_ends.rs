//! Starts a thread that nobody joins, and that is in code of the plugin until the instance is gone, and
//! a little longer.

use std::sync::mpsc::{Sender, channel};

use hookrail_abi::prelude::*;

struct Leaves {
    /// Ends the thread when it is dropped.
    _end: Sender<()>,
}

impl Leaves {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Leaves {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        let (end, wait) = channel();
        std::thread::spawn(move || wait.recv());
        Ok(Leaves { _end: end })
    }
}

export!(Leaves, name = "leaves-a-thread-that-ends");

//! Starts a thread that nobody joins, and that goes on until the test closes a pipe.

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::Until;

struct Leaves;

impl Leaves {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Leaves {
    type Config = Until;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, Until { until }: Until) -> Result<Self> {
        std::thread::spawn(move || until.wait());
        Ok(Leaves)
    }
}

export!(Leaves, name = "leaves-a-reading-thread");

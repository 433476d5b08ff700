//! Its callback calls `std::thread::current()`, for which the standard library makes a pthread key
//! whose destructor lies in the plugin.
use hookrail_abi::prelude::*;

struct Asks;

impl Asks {
    fn ask(&self, message: &mut Message) {
        message.add_header("ran", &format!("{:?}", std::thread::current().id()));
    }
}

impl Plugin for Asks {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "ask" => Self::ask, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Asks)
    }
}

export!(Asks, name = "asks-for-its-thread");

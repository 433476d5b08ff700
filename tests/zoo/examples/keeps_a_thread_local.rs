//! Its callback fills a thread-local that has a destructor, on whatever thread dispatches.
use std::cell::RefCell;

use hookrail_abi::prelude::*;

struct Keeps;

thread_local! {
    static KEPT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Keeps {
    fn keep(&self, message: &mut Message) {
        KEPT.with_borrow_mut(|kept| kept.push(message.topic.to_string()));
        message.add_header("ran", "yes");
    }
}

impl Plugin for Keeps {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "keep" => Self::keep, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Keeps)
    }
}

export!(Keeps, name = "keeps-a-thread-local");

//! It fills a thread-local that has a destructor on the thread that starts it.
use std::cell::RefCell;

use hookrail_abi::prelude::*;

struct Remembers;

thread_local! {
    static STARTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Remembers {
    fn look(&self, _: &mut Message) {}
}

impl Plugin for Remembers {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        STARTED.with_borrow_mut(|started| started.push("here".into()));
        Ok(Remembers)
    }
}

export!(Remembers, name = "remembers-its-start");

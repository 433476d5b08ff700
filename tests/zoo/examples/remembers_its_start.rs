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
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "look", Self::look];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        STARTED.with_borrow_mut(|started| started.push("here".into()));
        Ok(Remembers)
    }
}

export!(Remembers, name = "remembers-its-start");

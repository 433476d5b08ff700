//! Its thread-local writes to the host's log when it is destroyed, which is behind the end of the
//! instance that gave it the line.
use std::cell::RefCell;

use hookrail_abi::prelude::*;

struct Logs(Instance);

struct Last(Instance);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.log(Level::Info, "the last of it");
    }
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

impl Logs {
    fn keep(&self, _: &mut Message) {
        LAST.set(Some(Last(self.0)));
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.0.log(Level::Info, "the instance is gone");
    }
}

impl Plugin for Logs {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "keep", Self::keep];

    fn start(host: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Logs(host.instance()))
    }
}

export!(Logs, name = "logs-at-the-end");

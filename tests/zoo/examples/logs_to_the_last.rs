//! Starts a thread that logs, holding a thread-local, until after the end of its instance; the
//! thread-local's destructor logs too.

use std::cell::Cell;

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;
use hookrail_tests::pipe::Until;

thread_local!(static HELD: Held = const { Held { host: Cell::new(None), lets_go: Cell::new(false) } });

struct Held {
    host: Cell<Option<Instance>>,
    lets_go: Cell<bool>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lets_go.set(true);
        if let Some(host) = self.host.get() {
            host.log(Level::Info, "lets go");
        }
    }
}

struct Logs;

impl Logs {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Logs {
    type Config = Until;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(host: &Startup, Until { until }: Until) -> Result<Self> {
        let host: Instance = host.instance();
        std::thread::spawn(move || {
            HELD.with(|held| {
                held.host.set(Some(host));
                host.log(Level::Info, "begins");
                until.wait();
                host.log(Level::Info, "goes on");
                host.log(Level::Info, if held.lets_go.get() { "holds nothing" } else { "holds" });
            });
        });
        Ok(Logs)
    }
}

export!(Logs, name = "logs-to-the-last");

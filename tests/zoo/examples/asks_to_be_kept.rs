//! Asks the host to keep its library, and says why: at once, or when a thread of its own has ended.

use std::cell::Cell;

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::End;

thread_local!(static LATE: Late = const { Late(Cell::new(None)) });

struct Late(Cell<Option<Instance>>);

impl Drop for Late {
    fn drop(&mut self) {
        self.0.get().inspect(ask);
    }
}

fn ask(host: &Instance) {
    host.keep_loaded("a device holds its address");
}

struct Asks;

impl Asks {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Asks {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        let host: Instance = host.instance();
        match config.until {
            None => ask(&host),
            Some(until) => drop(std::thread::spawn(move || {
                LATE.with(|late| late.0.set(Some(host)));
                until.wait();
            })),
        }
        Ok(Asks)
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    until: Option<End>,
}

export!(Asks, name = "asks-to-be-kept");

//! For the soak: stamps its generation on each message, keeps a thread-local with a destructor on each
//! thread, and asks for its thread. Everything it does stands in the soak's ledger.

use std::cell::RefCell;

use hookrail_abi::prelude::*;
use hookrail_tests::STAMP;
use hookrail_tests::soak::{Config, Generation};

struct Local {
    generation: Generation,
    threads: Vec<String>,
}

thread_local! {
    static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) };
}

impl Drop for Local {
    fn drop(&mut self) {
        self.generation.ended();
    }
}

struct Replaced {
    generation: Generation,
}

impl Replaced {
    fn stamp(&self, message: &mut Message) {
        LOCAL.with_borrow_mut(|local| {
            let local = local.get_or_insert_with(|| {
                self.generation.begun();
                Local { generation: self.generation, threads: Vec::new() }
            });
            if local.threads.len() < 4 {
                local.threads.push(format!("{:?}", std::thread::current().id()));
            }
        });
        message.add_header(STAMP, &self.generation.stamp().to_string());
    }
}

impl Plugin for Replaced {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "stamp" => Self::stamp, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        Ok(Replaced { generation: config.begin() })
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        self.generation.dropped();
    }
}

export!(Replaced, name = "replaced");

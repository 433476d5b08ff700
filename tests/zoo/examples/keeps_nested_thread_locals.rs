//! Keeps a thread-local whose destructor is the first to use another one that has a destructor too,
//! which does the same with a third; the last destructor tells the test.

use std::cell::Cell;

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::{End, Teller};

static TELLER: Teller = Teller::new();

struct Outer(Cell<u32>);
struct Middle(Cell<u32>);
struct Inner(Cell<u32>);

thread_local! {
    static OUTER: Outer = const { Outer(Cell::new(0)) };
    static MIDDLE: Middle = const { Middle(Cell::new(0)) };
    static INNER: Inner = const { Inner(Cell::new(0)) };
}

impl Drop for Outer {
    fn drop(&mut self) {
        MIDDLE.with(|middle| middle.0.set(self.0.get()));
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        INNER.with(|inner| inner.0.set(self.0.get()));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        TELLER.tell();
    }
}

struct Keeps;

impl Keeps {
    fn keep(&self, message: &mut Message) {
        OUTER.with(|outer| outer.0.set(outer.0.get() + 1));
        message.add_header("ran", "yes");
    }
}

impl Plugin for Keeps {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "keep" => Self::keep, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        TELLER.set(config.tell);
        Ok(Keeps)
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    tell: Option<End>,
}

export!(Keeps, name = "keeps-nested-thread-locals");

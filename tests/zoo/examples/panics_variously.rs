//! Panics where a message says: in a callback, caught by itself, thrown again, on a thread of its own.

use std::panic::{catch_unwind, resume_unwind};

use hookrail_abi::prelude::*;

struct Panics;

impl Panics {
    fn look(&self, message: &mut Message) -> Result<Verdict> {
        message.add_header("ran", "yes");
        match message.body.to_display().as_ref() {
            "boom" => deep_inside(3),
            "caught" => {
                let _ = catch_unwind(|| deep_inside(1));
            }
            "caught, then an error" => {
                let _ = catch_unwind(|| deep_inside(1));
                return Err("it just fails".into());
            }
            "caught, then another" => {
                let _ = catch_unwind(|| deep_inside(1));
                resume_unwind(Box::new("thrown by hand"));
            }
            "thread" => {
                let _ = std::thread::spawn(on_a_thread).join();
            }
            _ => {}
        }
        Ok(Verdict::Continue)
    }
}

#[inline(never)]
fn deep_inside(depth: u32) {
    if depth > 0 {
        deep_inside(depth - 1);
    } else {
        panic!("it went {} wrong", "badly");
    }
}

#[inline(never)]
fn on_a_thread() {
    panic!("nobody asks");
}

impl Plugin for Panics {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Panics)
    }
}

export!(Panics, name = "panics-variously");

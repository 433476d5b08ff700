//! Prints a backtrace with the names of functions, for which the standard library maps the files it
//! reads them from, and keeps some of those mappings.

use std::backtrace::Backtrace;

use hookrail_abi::prelude::*;

struct Prints;

impl Prints {
    fn print(&self, message: &mut Message) {
        message.add_header("ran", &Backtrace::force_capture().to_string());
    }
}

impl Plugin for Prints {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "print" => Self::print, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Prints)
    }
}

export!(Prints, name = "prints-a-backtrace");

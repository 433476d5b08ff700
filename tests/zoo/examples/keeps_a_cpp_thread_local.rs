//! Keeps a thread-local object of C++, which a destructor of C++ takes down.

use std::ffi::{CString, c_char, c_int};

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::End;

#[link(name = "zoo_cpp", kind = "static")]
#[link(name = "stdc++")]
unsafe extern "C" {
    fn zoo_keep(tell: c_int, topic: *const c_char) -> usize;
}

struct Keeps {
    tell: Option<End>,
}

impl Keeps {
    fn keep(&self, message: &mut Message) -> Result<()> {
        let topic = CString::new(message.topic.as_str())?;
        // SAFETY: it reads the text during the call, and writes to the descriptor while it is open.
        let kept = unsafe { zoo_keep(self.tell.map_or(-1, End::descriptor), topic.as_ptr()) };
        message.add_header("ran", &kept.to_string());
        Ok(())
    }
}

impl Plugin for Keeps {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "keep" => Self::keep, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        Ok(Keeps { tell: config.tell })
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    tell: Option<End>,
}

export!(Keeps, name = "keeps-a-cpp-thread-local");

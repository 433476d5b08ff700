//! Has C++ start a thread, which goes on until the test closes a pipe: it is libstdc++ that asks the
//! system for it, where nothing of the plugin's can be in between.

use std::ffi::c_int;

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::Until;

#[link(name = "zoo_cpp", kind = "static")]
#[link(name = "stdc++")]
unsafe extern "C" {
    fn zoo_start_thread(until: c_int);
}

struct Starts;

impl Starts {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Starts {
    type Config = Until;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, Until { until }: Until) -> Result<Self> {
        // SAFETY: the test keeps the descriptor open for as long as the thread reads.
        unsafe { zoo_start_thread(until.descriptor()) };
        Ok(Starts)
    }
}

export!(Starts, name = "starts-a-cpp-thread");

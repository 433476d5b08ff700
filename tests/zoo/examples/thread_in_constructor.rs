//! Starts a thread before anybody could know of it: in a constructor. The thread is in code of the
//! plugin until the test closes its end of a socket, and then says that it is still there.

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::End;

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = construct;

extern "C" fn construct() {
    if let Some(end) = End::of_constructor() {
        std::thread::spawn(move || {
            end.wait();
            end.tell();
        });
    }
}

struct Starts;

impl Plugin for Starts {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = &[];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Starts)
    }
}

export!(Starts, name = "thread-in-constructor");

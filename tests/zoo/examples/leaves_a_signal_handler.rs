//! Handles SIGUSR1, and either takes its handler back when it stops or leaves it behind. The handler
//! tells the test.

use std::mem::zeroed;
use std::ptr::{from_ref, null_mut};

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::{End, Teller};

static TELLER: Teller = Teller::new();

extern "C" fn handle(_: i32) {
    TELLER.tell();
}

struct Leaves {
    takes_back: bool,
}

impl Leaves {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Leaves {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        TELLER.set(config.tell);
        on_signal(handle as *const () as usize)?;
        Ok(Leaves { takes_back: config.take_back })
    }

    fn stop(&self) {
        if self.takes_back {
            on_signal(libc::SIG_DFL).expect("the system takes the default");
        }
    }
}

fn on_signal(handler: usize) -> Result<()> {
    // SAFETY: no flags, no blocked signals.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = handler;
    // SAFETY: a complete action, and the handler only writes to a pipe.
    match unsafe { libc::sigaction(libc::SIGUSR1, from_ref(&action), null_mut()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().into()),
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    #[serde(default)]
    take_back: bool,
    tell: Option<End>,
}

export!(Leaves, name = "leaves-a-signal-handler");

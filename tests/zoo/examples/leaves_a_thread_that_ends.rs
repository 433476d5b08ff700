//! Starts a thread that nobody joins, and that ends by itself soon after it was told to.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use hookrail_abi::prelude::*;

struct Leaves {
    end: Mutex<Option<Sender<()>>>,
}

impl Leaves {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Leaves {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, 10, "look", Self::look];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        let (end, wait) = channel::<()>();
        std::thread::spawn(move || {
            let _ = wait.recv();
            // Still in code of the plugin when everything else of it is gone.
            std::thread::sleep(Duration::from_millis(20));
        });
        Ok(Leaves { end: Mutex::new(Some(end)) })
    }

    fn stop(&self) {
        *self.end.lock().expect("nobody panics with it") = None;
    }
}

export!(Leaves, name = "leaves-a-thread-that-ends");

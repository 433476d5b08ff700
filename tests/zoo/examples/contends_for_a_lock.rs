//! Waits for a lock of parking_lot's, which keeps a thread-local with a destructor on each thread that
//! had to wait.

use std::time::Duration;

use hookrail_abi::prelude::*;
use parking_lot::Mutex;

struct Contends {
    lock: Mutex<u64>,
}

impl Contends {
    fn contend(&self, message: &mut Message) {
        let mut count = self.lock.lock();
        // Nobody lets go of it meanwhile: whatever the others do, this thread is parked for certain.
        assert!(self.lock.try_lock_for(Duration::from_micros(200)).is_none(), "it is held");
        *count += 1;
        message.add_header("ran", &count.to_string());
    }
}

impl Plugin for Contends {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "contend" => Self::contend, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Contends { lock: Mutex::new(0) })
    }
}

export!(Contends, name = "contends-for-a-lock");

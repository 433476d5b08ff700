//! Logs in the initialiser of a `Once`, for the first time and while other threads wait for it.

use std::fmt;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hookrail_abi::prelude::*;

/// One that runs when a value is shown, in the middle of an event, and logs.
struct Shown(&'static Once, u32);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.call_once(|| tracing::info!("{} while shown", self.1));
        f.write_str("it")
    }
}

/// Waits until several threads are here, one in the initialiser; each round has callsites of its own, which nobody has
/// met before.
macro_rules! rounds {
    ($given:expr, $($round:literal)*) => {
        match $given {
            $($round => {
                static ONCE: Once = Once::new();
                static SHOWN: Once = Once::new();
                static HERE: AtomicU32 = AtomicU32::new(0);
                // One callsite for all of them: whoever meets it first, another thread is in the initialiser.
                let say = |when: &str| tracing::info!("{} {when}", $round);
                if HERE.fetch_add(1, Ordering::SeqCst) > 0 {
                    say("outside");
                }
                ONCE.call_once(|| {
                    while HERE.load(Ordering::SeqCst) < 3 {
                        std::thread::yield_now();
                    }
                    say("inside");
                    // The others have come; soon they wait.
                    std::thread::sleep(Duration::from_millis(1));
                    tracing::info!("{} by tracing", $round);
                    log::info!("{} by log", $round);
                    let _span = tracing::info_span!("initialising").entered();
                    tracing::info!(value = %Shown(&SHOWN, $round), "{} with a value", $round);
                });
                tracing::info!("{} after", $round);
            })*
            _ => {}
        }
    };
}

struct Logs;

impl Logs {
    fn log(&self, message: &mut Message) {
        static NEVER: Once = Once::new();
        let body = message.body.to_display();
        match body.split_once(' ') {
            Some(("round", round)) => rounds!(round.parse().unwrap_or(u32::MAX), 0 1 2 3 4 5 6 7),
            Some(("panic", "once")) => NEVER.call_once(|| {
                tracing::info!("about to panic");
                panic!("in the initialiser");
            }),
            _ => {}
        }
    }
}

impl Plugin for Logs {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "log" => Self::log, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Logs)
    }
}

hookrail_abi::export!(Logs, name = "logs-in-once");

//! A plugin that lets messages pass: as they are, with a header changed, after a while, or never.

use std::hint::black_box;
use std::time::Duration;

use hookrail_abi::prelude::*;

/// Its callbacks do what its configuration says.
#[derive(Debug)]
pub struct Passing {
    edits: bool,
    waits: Duration,
}

/// What they do.
#[config]
#[derive(Debug)]
pub struct PassingConfig {
    /// How many there are, 1 to 4.
    #[serde(default = "one")]
    callbacks: usize,
    /// Whether they change the value of the second header.
    #[serde(default)]
    edits: bool,
    /// How long they wait, in microseconds.
    #[serde(default)]
    waits_us: u64,
}

fn one() -> usize {
    NAMES.len() - 3
}

const NAMES: [&str; 4] = ["pass-0", "pass-1", "pass-2", "pass-3"];

impl Passing {
    fn pass<const N: u8>(&self, message: &mut Message) {
        black_box(N);
        if !self.waits.is_zero() {
            std::thread::sleep(self.waits);
        }
        if self.edits {
            let value = if message.headers[1].value == "text/plain" { "text/html." } else { "text/plain" };
            message.headers.as_mut_slice()[1].value.set(value);
        }
        if message.topic == "never" {
            // Whoever waits for it to be here looks for that file.
            let _ = std::fs::write(message.source.as_str(), "");
            std::thread::sleep(Duration::MAX);
        }
    }
}

impl Plugin for Passing {
    type Config = PassingConfig;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "pass-0" => Self::pass::<0>, priority = 10, effects = pure;
        MessagePublish, "pass-1" => Self::pass::<1>, priority = 11, effects = pure;
        MessagePublish, "pass-2" => Self::pass::<2>, priority = 12, effects = pure;
        MessagePublish, "pass-3" => Self::pass::<3>, priority = 13, effects = pure;
    ];

    fn start(host: &Startup, config: PassingConfig) -> Result<Self> {
        NAMES.iter().skip(config.callbacks).for_each(|name| host.leave_out(name));
        Ok(Passing { edits: config.edits, waits: Duration::from_micros(config.waits_us) })
    }
}

//! Counts what passes {{point}}.
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::prelude::*;
use hookrail_abi::tracing;

/// What an operator writes.
#[config]
#[serde(default)]
pub struct Config {
    /// After how many it tells of them.
    every: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { every: 1000 }
    }
}

/// One instance of the plugin.
pub struct {{Type}} {
    every: u64,
    seen: AtomicU64,
}

impl {{Type}} {
    /// Runs on any thread, on several at once.
    fn count(&self, _: &{{Payload}}) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if seen.is_multiple_of(self.every) {
            tracing::info!(seen, "still counting");
        }
    }
}

impl Plugin for {{Type}} {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![{{Point}}, "count" => Self::count, priority = {{priority}}, effects = local];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        Ok({{Type}} {
            every: config.every.max(1),
            seen: AtomicU64::new(0),
        })
    }
}

export!({{Type}});

#[cfg(test)]
mod tests {
    use super::*;
    use hookrail_abi::testing;

    #[test]
    fn passing_messages_are_counted() {
        let plugin = testing::start::<{{Type}}>("{}").unwrap();
        let mut payload = {{example}};
        for _ in 0..3 {
            plugin.call({{Point}}, "count", &mut payload);
        }
    }
}

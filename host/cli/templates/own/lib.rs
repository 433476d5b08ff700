//! Counts what passes {{point}}.
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::prelude::*;
use hookrail_abi::tracing;
use {{path}};

/// What {{point}} passes from callback to callback.
type Passed = <{{Point}} as Point>::Payload;

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
    /// Runs on any thread, on several at once. {{answer}}
    fn count(&self, _: {{borrow}}Passed) {
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
    fn it_starts_and_hooks_its_point() {
        let plugin = testing::start::<{{Type}}>(r#"{ "every": 2 }"#);
        assert!(plugin.is_ok(), "{plugin:?}");
        let hook = &{{Type}}::HOOKS[0];
        assert_eq!((hook.point, hook.callback), ("{{point}}", "count"));
        // With a payload of yours, `plugin.call({{Point}}, "count", &mut payload)` returns what the callback answers.
    }
}

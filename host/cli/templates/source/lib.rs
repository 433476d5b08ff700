//! The source `{{endpoint}}`: a number every so often.
use std::time::Duration;

use hookrail_abi::prelude::*;

/// What an operator writes for one use in a pipeline.
#[config]
#[serde(default)]
pub struct Config {
    /// How long it waits before each message, in milliseconds.
    every_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { every_ms: 1000 }
    }
}

/// One instance of the plugin.
pub struct {{Type}};

impl {{Type}} {
    /// Makes the source for one use, or refuses its configuration.
    /// It starts nothing: the closure runs later, or never.
    fn source(&self, config: Config) -> Result<impl Source> {
        if config.every_ms == 0 {
            return Err("every_ms is 0: it would send without a pause; the least is 1".into());
        }
        let every = Duration::from_millis(config.every_ms);
        // Has a thread of its own, on which it may block.
        Ok(move |io: &mut SourceIo<'_>| {
            let mut number = 0_u64;
            // The wait ends early, and is true, when the source is to end.
            while !io.wait(every) {
                number += 1;
                // Returns once the chain of `message.publish` has decided, and queues that block have taken it;
                // fails when the source is to end.
                io.send(&mut Message::new("{{name}}", number.to_string()))?;
            }
            Ok(())
        })
    }
}

impl Plugin for {{Type}} {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = &[];
    const ENDPOINTS: Endpoints<Self> = endpoints![source "{{endpoint}}" => Self::source];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok({{Type}})
    }
}

export!({{Type}});

#[cfg(test)]
mod tests {
    use super::*;
    use hookrail_abi::testing;

    #[test]
    fn numbers_come_until_it_is_to_end() -> Result<()> {
        let plugin = testing::start::<{{Type}}>("{}")?;
        let source = plugin.source("{{endpoint}}", r#"{ "every_ms": 1 }"#)?;
        let sent = source.run(&[], |sent| sent.messages.len() == 3)?;
        let bodies: Vec<_> = sent.messages.iter().map(|it| it.body.to_display()).collect();
        assert_eq!(bodies, ["1", "2", "3"]);
        Ok(())
    }

    #[test]
    fn a_use_without_a_pause_is_refused() -> Result<()> {
        let plugin = testing::start::<{{Type}}>("{}")?;
        let refused = plugin.source("{{endpoint}}", r#"{ "every_ms": 0 }"#);
        assert!(refused.unwrap_err().to_string().contains("every_ms"));
        Ok(())
    }
}

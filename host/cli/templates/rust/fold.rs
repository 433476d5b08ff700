//! Marks what passes {{point}}.
use hookrail_abi::prelude::*;
use hookrail_abi::tracing;

/// What an operator writes.
#[config]
#[serde(default)]
pub struct Config {
    /// What is written into the header `{{name}}`.
    mark: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            mark: "seen".into(),
        }
    }
}

/// One instance of the plugin.
pub struct {{Type}} {
    mark: String,
}

impl {{Type}} {
    /// Runs on any thread, on several at once.
    fn mark(&self, message: &mut Message) {
        message.set_header("{{name}}", &self.mark);
    }
}

impl Plugin for {{Type}} {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![{{Point}}, "mark" => Self::mark, priority = {{priority}}, effects = pure];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        tracing::info!("messages are marked `{}`", config.mark);
        Ok({{Type}} { mark: config.mark })
    }
}

export!({{Type}});

#[cfg(test)]
mod tests {
    use super::*;
    use hookrail_abi::testing;

    #[test]
    fn a_message_is_marked() {
        let plugin = testing::start::<{{Type}}>(r#"{ "mark": "here" }"#).unwrap();
        let mut message = Message::new("a.topic", "a body");
        let answer = plugin.call({{Point}}, "mark", &mut message);
        assert_eq!(answer.verdict, Verdict::Continue);
        assert_eq!(message.header("{{name}}"), Some("here"));
    }
}

//! Searches with a regular expression, whose crate knows its threads by a thread-local and keeps a
//! cache for each.

use hookrail_abi::prelude::*;
use regex::Regex;

struct Searches {
    word: Regex,
}

impl Searches {
    fn search(&self, message: &mut Message) {
        let found = self.word.captures_iter(message.topic.as_str()).count();
        message.add_header("ran", &found.to_string());
    }
}

impl Plugin for Searches {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "search" => Self::search, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Searches { word: Regex::new(r"(?<word>\w+)\b")? })
    }
}

export!(Searches, name = "searches-with-regex");

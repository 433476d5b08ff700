//! The sink `{{endpoint}}`: each message becomes a line of a file.
use std::fs::OpenOptions;
use std::io::Write;

use hookrail_abi::prelude::*;

/// What an operator writes for one use in a pipeline.
#[config]
pub struct Config {
    /// The file to which it appends; it is created if it is not there.
    file: String,
}

/// One instance of the plugin.
pub struct {{Type}};

impl {{Type}} {
    /// Makes the sink for one use, or refuses its configuration.
    /// It starts nothing: the closure runs later, or never.
    fn sink(&self, config: Config) -> Result<impl Sink> {
        if config.file.is_empty() {
            return Err("file is empty: it names the file to append to".into());
        }
        // Has a thread of its own, on which it may block. If it fails, another one is started
        // after a pause, and is given what this one did not acknowledge.
        Ok(move |io: &mut SinkIo<'_>| {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&config.file)?;
            let mut lines = Vec::new();
            loop {
                lines.clear();
                let taken = match io.recv(256, None) {
                    Received::Messages(messages) => {
                        for message in messages {
                            lines.extend_from_slice(&message.body);
                            lines.push(b'\n');
                        }
                        messages.len()
                    }
                    Received::Nothing => continue,
                    Received::Closed => return Ok(()),
                };
                file.write_all(&lines)?;
                // Not before they are where they belong: what is acknowledged does not come again.
                io.ack(taken);
            }
        })
    }
}

impl Plugin for {{Type}} {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = &[];
    const ENDPOINTS: Endpoints<Self> =
        endpoints![sink "{{endpoint}}" => Self::sink, guarantee = at_least_once];

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
    fn each_message_becomes_a_line() -> Result<()> {
        let file = std::env::temp_dir().join(format!("{{name}}-{}", std::process::id()));
        let plugin = testing::start::<{{Type}}>("{}")?;
        let sink = plugin.sink("{{endpoint}}", &format!(r#"{{ "file": {file:?} }}"#))?;
        let messages = ["one", "two"].map(|body| Message::new("a.topic", body));
        let answered = sink.run(&messages)?;
        let lines = std::fs::read_to_string(&file)?;
        std::fs::remove_file(&file)?;
        assert_eq!(lines, "one\ntwo\n");
        assert_eq!((answered.delivered, answered.unanswered), (2, 0));
        Ok(())
    }

    #[test]
    fn a_use_without_a_file_is_refused() -> Result<()> {
        let plugin = testing::start::<{{Type}}>("{}")?;
        let refused = plugin.sink("{{endpoint}}", r#"{ "file": "" }"#);
        assert!(refused.unwrap_err().to_string().contains("file"));
        Ok(())
    }
}

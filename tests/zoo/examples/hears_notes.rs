//! Hears of messages that were delivered: it writes each to a file, and fails, waits or ends its process where one says so.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::Duration;

use hookrail_abi::prelude::*;

#[config]
#[derive(Default)]
struct Config {
    /// The file to which each body is appended, with a line break.
    #[serde(default)]
    file: String,
}

struct Specimen {
    file: Option<File>,
}

impl Specimen {
    fn hear(&self, message: &Message) {
        let body = message.body.to_display();
        if let Some(mut file) = self.file.as_ref() {
            let _ = file.write_all(format!("{body}\n").as_bytes());
        }
        match body.split_once(' ').unwrap_or((&body, "")) {
            ("abort", _) => std::process::abort(),
            ("panic", what) => panic!("{what}"),
            ("wait", milliseconds) => {
                std::thread::sleep(Duration::from_millis(milliseconds.parse().unwrap_or_default()));
            }
            _ => {}
        }
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessageDelivered, "hear" => Self::hear, priority = 10, effects = external];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        let open = |path: &str| OpenOptions::new().create(true).append(true).open(path);
        let file = Some(&*config.file).filter(|path| !path.is_empty()).map(open).transpose()?;
        Ok(Specimen { file })
    }
}

export!(Specimen, name = "hears-notes");

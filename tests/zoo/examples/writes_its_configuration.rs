//! Writes its own configuration: where a message says so, and when it starts, is given another one, or ends, as its
//! configuration says. It answers with what came of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use hookrail_abi::host::{Instance, NotWritten};
use hookrail_abi::prelude::*;

#[derive(Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What it writes is another one.
    #[schemars(range(max = 100))]
    number: u32,
    /// The number that it writes when it starts.
    on_start: Option<u32>,
    /// Whether its start fails, after it has written.
    fails: bool,
    /// The number that it writes while it is given another configuration.
    on_reload: Option<u32>,
    /// The file in which it notes what came of what it wrote when it ended.
    notes: Option<PathBuf>,
}

struct Specimen {
    instance: Instance,
    config: Mutex<Config>,
    /// What came of what it wrote when it started, and while it was given others.
    said: Mutex<Vec<String>>,
}

impl Specimen {
    fn write(&self, json: &str, if_revision: Option<u64>) -> String {
        said(self.instance.write_config(json, if_revision))
    }

    fn answer(&self, message: &mut Message) {
        let text = String::from_utf8_lossy(&message.body).into_owned();
        let words: Vec<_> = text.split(' ').collect();
        let revision = |word: &str| word.parse().ok();
        let answer = match words[..] {
            ["config"] => self.instance.config().unwrap_or_default(),
            ["number"] => self.config.lock().unwrap().number.to_string(),
            ["said"] => self.said.lock().unwrap().join("; "),
            ["stored"] => match self.instance.stored_config() {
                Ok(stored) => format!("{} {}", stored.revision, stored.json),
                Err(why) => why.to_string(),
            },
            ["write", json] => self.write(json, None),
            ["write", json, if_revision] => self.write(json, revision(if_revision)),
            ["write-on-a-thread", json] => {
                std::thread::scope(|scope| scope.spawn(|| self.write(json, None)).join().expect("it does not panic"))
            }
            ["write-large", bytes] => self.write(&format!("\"{}\"", "x".repeat(bytes.parse().unwrap_or(0))), None),
            ["abort"] => std::process::abort(),
            _ => return,
        };
        message.body = answer.into();
    }

    fn note(&self, function: &str) {
        let notes = self.config.lock().unwrap().notes.clone();
        if let Some(mut notes) = notes.and_then(|path| OpenOptions::new().append(true).open(path).ok()) {
            let _ = writeln!(notes, "{function}: {}", self.write("{}", None));
        }
    }
}

fn said(written: Result<u64, NotWritten>) -> String {
    match written {
        Ok(revision) => format!("revision {revision}"),
        Err(why) => format!("{why:?}"),
    }
}

fn numbered(number: u32) -> String {
    format!(r#"{{"number":{number}}}"#)
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "answer" => Self::answer, priority = 10, effects = external];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        let specimen =
            Specimen { instance: host.instance(), said: Mutex::default(), config: Mutex::new(config.clone()) };
        if let Some(number) = config.on_start {
            let said = specimen.write(&numbered(number), None);
            specimen.said.lock().unwrap().push(said);
        }
        if config.fails {
            return Err("it was told to fail".into());
        }
        Ok(specimen)
    }

    fn reload(&self, config: Config) -> Result<()> {
        let on_reload = config.on_reload;
        *self.config.lock().unwrap() = config;
        let said = on_reload.map_or("reloaded".into(), |number| self.write(&numbered(number), None));
        self.said.lock().unwrap().push(said);
        Ok(())
    }

    fn drain(&self, _: Instant) -> Result<()> {
        self.note("drain");
        Ok(())
    }

    fn stop(&self) {
        self.note("stop");
    }
}

export!(Specimen, name = "writes-its-configuration");

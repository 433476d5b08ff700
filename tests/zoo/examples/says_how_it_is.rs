//! Does in each function of `lifecycle/1` what a file of that name says, in the directory that its configuration names:
//! nothing if there is none, else `no` or `partly` and why, `panic`, or `hang` until the file is gone. It notes there
//! what is called.

use std::fs::{OpenOptions, read_to_string};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

#[derive(Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Where the files are; without one it does nothing.
    directory: Option<PathBuf>,
}

struct Specimen {
    directory: Option<PathBuf>,
    counted: AtomicU64,
}

impl Specimen {
    /// What the file of that function says, word by word; `Some` is the reason for an answer in between.
    fn at(&self, function: &str) -> Result<Option<String>> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let mut notes = OpenOptions::new().create(true).append(true).open(directory.join("notes"))?;
        notes.write_all(format!("{function}\n").as_bytes())?;
        let says = || read_to_string(directory.join(function)).unwrap_or_default();
        let said = says();
        match said.split_once(' ').unwrap_or((&said, "")) {
            ("no", why) => Err(why.into()),
            ("partly", why) => Ok(Some(why.into())),
            ("panic", _) => panic!("it was told to"),
            ("hang", _) => {
                while says() == "hang" {
                    sleep(Duration::from_millis(1));
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn count(&self, message: &mut Message) {
        let number = 1 + self.counted.fetch_add(1, Ordering::Relaxed);
        message.add_header("ran", &number.to_string());
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "count" => Self::count, priority = 300];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        let specimen = Specimen { directory: config.directory, counted: AtomicU64::new(0) };
        specimen.at("start")?;
        Ok(specimen)
    }

    fn ready(&self) -> Result<Readiness> {
        Ok(self.at("ready")?.map_or(Readiness::Ready, Readiness::NotYet))
    }

    fn health(&self) -> Result<Health> {
        Ok(self.at("health")?.map_or(Health::Good, Health::Degraded))
    }

    fn halt(&self) -> Result<()> {
        self.at("halt").map(drop)
    }

    fn resume(&self) -> Result<()> {
        self.at("resume").map(drop)
    }

    fn reload(&self, _: Config) -> Result<()> {
        self.at("reload").map(drop)
    }

    fn drain(&self, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.at(if left > Duration::from_secs(1) { "drain" } else { "drain-briefly" }).map(drop)
    }

    fn save(&self) -> Result<Option<State>> {
        State::json("says-how-it-is", 1, &self.counted.load(Ordering::Relaxed)).map(Some)
    }

    fn restore(_: &Startup, config: Config, state: State) -> Result<Self> {
        let counted = AtomicU64::new(state.parse("says-how-it-is", 1..=1)?);
        Ok(Specimen { directory: config.directory, counted })
    }

    fn save_changes(&self) -> Result<Option<State>> {
        self.at("save_changes").map(|_| None)
    }

    fn stop(&self) {
        let _ = self.at("stop");
    }
}

export!(Specimen, name = "says-how-it-is");

//! Panics where the environment variable `PANICS` says, and does nothing wrong without it.

use std::time::{Duration, Instant};

use hookrail_abi::State;
use hookrail_abi::prelude::*;

struct Specimen;

/// Panics if this is the place.
fn at(place: &str) {
    assert!(std::env::var("PANICS").as_deref() != Ok(place), "not in {place}");
}

struct Config;

impl<'de> serde::Deserialize<'de> for Config {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        at("create");
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Config)
    }
}

impl schemars::JsonSchema for Config {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        at("schema");
        schemars::json_schema!({ "type": "object" })
    }
}

impl Drop for Specimen {
    fn drop(&mut self) {
        at("destroy");
    }
}

/// Runs until it is told to end.
struct Idle;

impl Source for Idle {
    fn run(&mut self, io: &mut SourceIo<'_>) -> Result<()> {
        at("run");
        while !io.wait(Duration::from_secs(1)) {}
        Ok(())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        at("free");
    }
}

impl Specimen {
    fn idle(&self, _: NoConfig) -> Result<impl Source> {
        at("accept");
        Ok(Idle)
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => |_, _| at("callback"), priority = 10, effects = pure];
    const ENDPOINTS: Endpoints<Self> = endpoints![source "idle" => Self::idle];

    fn start(_: &Startup, _: Config) -> Result<Self> {
        at("start");
        Ok(Specimen)
    }

    fn ready(&self) -> Result<Readiness> {
        at("ready");
        Ok(Readiness::Ready)
    }

    fn health(&self) -> Result<Health> {
        at("health");
        Ok(Health::Good)
    }

    fn halt(&self) -> Result<()> {
        at("halt");
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        at("resume");
        Ok(())
    }

    fn drain(&self, _: Instant) -> Result<()> {
        at("drain");
        Ok(())
    }

    fn reload(&self, _: Config) -> Result<()> {
        at("reload");
        Ok(())
    }

    fn save(&self) -> Result<Option<State>> {
        at("save");
        Ok(Some(State::new("somewhere", 1, "state")))
    }

    fn restore(host: &Startup, config: Config, _: State) -> Result<Self> {
        at("restore");
        Self::start(host, config)
    }

    fn save_changes(&self) -> Result<Option<State>> {
        at("save_changes");
        Ok(None)
    }

    fn apply_changes(&self, _: State) -> Result<()> {
        at("apply_changes");
        Ok(())
    }

    fn stop(&self) {
        at("stop");
    }
}

export!(Specimen, name = "panics-somewhere");

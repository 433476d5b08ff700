//! Panics with what its configuration keeps secret, where that says so.

use hookrail_abi::prelude::*;

#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What nobody is to see.
    token: String,
    /// `start`, `reload`, `call` or `thread`.
    at: String,
}

struct Specimen {
    config: std::sync::Mutex<Config>,
}

impl Config {
    fn unwrap_at(&self, at: &str) {
        let unwrapped = if self.at == at { Err(self.token.clone()) } else { Ok(()) };
        unwrapped.unwrap()
    }
}

impl Specimen {
    fn call(&self, _: &mut Message) {
        let Config { token, at } = &*self.config.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let config = Config { token: token.clone(), at: at.clone() };
        config.unwrap_at("call");
        let _ = std::thread::spawn(move || config.unwrap_at("thread")).join();
    }

    fn accept(&self, config: Config) -> Result<impl Source> {
        config.unwrap_at("start");
        Ok(move |_: &mut SourceIo<'_>| {
            config.unwrap_at("call");
            Ok(())
        })
    }
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "call" => Self::call, priority = 10];
    const ENDPOINTS: Endpoints<Self> = endpoints![source "secrets" => Self::accept, guarantee = at_most_once];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        config.unwrap_at("start");
        Ok(Specimen { config: config.into() })
    }

    fn reload(&self, config: Config) -> Result<()> {
        config.unwrap_at("reload");
        *self.config.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = config;
        Ok(())
    }
}

export!(Specimen, name = "panics-with-its-secret");

//! What the builds of the plugin `counter` share: it numbers messages, hands its count to the next
//! build, and asks a function of the test what to do.

use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::prelude::*;

/// A function of the test: is told what is going on in which build, and answers 0 to go on, 1 to
/// fail, 2 to panic.
pub type Ask = extern "C" fn(event: u32, build: u64) -> u32;

#[derive(Clone, Copy, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The address of an [`Ask`]; 0 for nobody to ask.
    ask: usize,
    /// A count to begin with.
    first: u64,
    /// How long a state to save, in place of the count.
    save_bytes: usize,
}

/// Build number `BUILD`, which hands over states of versions 1 to `BUILD`.
pub struct Counter<const BUILD: u64> {
    config: Config,
    counted: AtomicU64,
    /// What was counted when it saved.
    saved: AtomicU64,
}

impl<const BUILD: u64> Counter<BUILD> {
    fn new(config: Config, counted: u64) -> Self {
        Counter { config, counted: AtomicU64::new(counted), saved: AtomicU64::new(counted) }
    }

    fn count(&self, message: &mut Message) -> Result<()> {
        self.config.ask(1, BUILD)?;
        let number = 1 + self.counted.fetch_add(1, Ordering::SeqCst);
        message.add_header("number", &number.to_string());
        message.add_header("build", &BUILD.to_string());
        Ok(())
    }
}

impl Config {
    fn ask(&self, event: u32, build: u64) -> Result<()> {
        if self.ask == 0 {
            return Ok(());
        }
        // SAFETY: the test put the address of such a function into the configuration, which it
        // keeps from everybody else.
        let ask = unsafe { std::mem::transmute::<usize, Ask>(self.ask) };
        match ask(event, build) {
            0 => Ok(()),
            1 => Err("it was told to".into()),
            _ => panic!("it was told to"),
        }
    }
}

impl<const BUILD: u64> Plugin for Counter<BUILD> {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "count" => Self::count, priority = 300];

    fn start(_: &Startup, config: Config) -> Result<Self> {
        config.ask(2, BUILD)?;
        Ok(Self::new(config, config.first))
    }

    fn reload(&self, _: Config) -> Result<()> {
        Ok(())
    }

    fn save(&self) -> Result<Option<State>> {
        self.config.ask(3, BUILD)?;
        if self.config.save_bytes > 0 {
            return Ok(Some(State::new("counter", 1, vec![0; self.config.save_bytes])));
        }
        let counted = self.counted.load(Ordering::SeqCst);
        self.saved.store(counted, Ordering::SeqCst);
        State::json("counter", BUILD as u32, &counted).map(Some)
    }

    fn restore(_: &Startup, config: Config, state: State) -> Result<Self> {
        config.ask(4, BUILD)?;
        Ok(Self::new(config, state.parse("counter", 1..=BUILD as u32)?))
    }

    fn save_changes(&self) -> Result<Option<State>> {
        self.config.ask(5, BUILD)?;
        let more = self.counted.load(Ordering::SeqCst) - self.saved.load(Ordering::SeqCst);
        State::json("counter", BUILD as u32, &more).map(Some)
    }

    fn apply_changes(&self, rest: State) -> Result<()> {
        self.config.ask(6, BUILD)?;
        self.counted.fetch_add(rest.parse("counter", 1..=BUILD as u32)?, Ordering::SeqCst);
        Ok(())
    }

    fn stop(&self) {
        let _ = self.config.ask(7, BUILD);
    }
}

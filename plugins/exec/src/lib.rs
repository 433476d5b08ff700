//! Runs operators: programs in any language that publish messages and take those that they have subscribed to.

mod bell;
mod config;
mod leftover;
mod lines;
mod link;
mod operator;
mod operators;
mod out;
mod process;
mod request;
mod said;
mod shown;
mod sink;
mod source;
mod stored;
mod terms;
mod told;
mod wanted;

use std::time::Instant;

use hookrail_abi::prelude::*;

use config::{Config, SinkConfig, SourceConfig};
use operators::Operators;
use sink::Subscribing;
use source::Publishing;

/// The kind of state that generations hand over: none but that there is something in their directory.
const STATE: &str = "exec";

struct Exec {
    operators: Operators,
}

impl Exec {
    fn source(&self, config: SourceConfig) -> Result<Publishing> {
        Ok(Publishing { link: self.operators.link(&config.operator)? })
    }

    fn sink(&self, config: SinkConfig) -> Result<Subscribing> {
        if config.window == 0 || config.window > 65_536 {
            return Err(format!("`window` is {}: let it be 1 to 65536", config.window).into());
        }
        Ok(Subscribing { link: self.operators.link(&config.operator)?, window: config.window })
    }
}

impl Plugin for Exec {
    type Config = Config;
    const HOOKS: Hooks<Self> = &[];
    const ENDPOINTS: Endpoints<Self> = endpoints![
        source "exec" => Self::source, guarantee = at_most_once;
        sink "exec" => Self::sink, guarantee = at_most_once;
    ];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        Ok(Exec { operators: Operators::begin(host.instance(), config)? })
    }

    fn health(&self) -> Result<Health> {
        Ok(self.operators.health())
    }

    fn halt(&self) -> Result<()> {
        self.operators.halt()
    }

    fn resume(&self) -> Result<()> {
        self.operators.resume()
    }

    fn reload(&self, config: Config) -> Result<()> {
        self.operators.reload(config)
    }

    fn save(&self) -> Result<Option<State>> {
        Ok(Some(State::new(STATE, 1, "")))
    }

    fn restore(host: &Startup, config: Config, _: State) -> Result<Self> {
        Self::start(host, config)
    }

    fn save_changes(&self) -> Result<Option<State>> {
        self.save()
    }

    fn apply_changes(&self, _: State) -> Result<()> {
        self.operators.take_over();
        Ok(())
    }

    fn drain(&self, deadline: Instant) -> Result<()> {
        self.operators.end(deadline)
    }

    fn stop(&self) {
        self.operators.stop();
    }
}

export!(Exec);

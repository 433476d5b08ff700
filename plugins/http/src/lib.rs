//! Takes messages by HTTP, and sends them by HTTP.

mod shown;
mod sink;
mod source;
mod token;

use hookrail_abi::prelude::*;

use sink::Sending;
use source::Listening;

struct Http {
    host: Instance,
}

impl Http {
    fn source(&self, config: source::Config) -> Result<Listening> {
        Listening::new(config, self.host)
    }

    fn sink(&self, config: sink::Config) -> Result<Sending> {
        Sending::new(config, self.host)
    }
}

impl Plugin for Http {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = &[];
    const ENDPOINTS: Endpoints<Self> = endpoints![
        source "http" => Self::source, guarantee = at_most_once;
        sink "http" => Self::sink, guarantee = at_least_once;
    ];

    fn start(host: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Http { host: host.instance() })
    }
}

export!(Http);

#[cfg(test)]
mod tests;

//! Follows files: each line is a message.

mod config;
mod counted;
mod entries;
mod fingerprint;
mod followed;
mod globs;
mod identity;
mod kept;
mod mark;
mod outbox;
mod places;
mod position;
mod reader;
mod said;
mod session;
mod topic;

use std::sync::Arc;

use hookrail_abi::Closed;
use hookrail_abi::metrics::Metric;
use hookrail_abi::prelude::*;

use config::Config;
use kept::Kept;
use session::{Session, Wanted};

struct Tail {
    host: Instance,
}

impl Tail {
    fn tail(&self, config: Config) -> Result<impl Source> {
        let wanted = Arc::new(Wanted::new(&config)?);
        let host = self.host;
        Ok(move |io: &mut SourceIo<'_>| {
            let kept = Kept::new(io.marks());
            let Err(Closed) = Session::new(wanted.clone(), host, kept).run(io);
            Ok(())
        })
    }
}

impl Plugin for Tail {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = &[];
    const METRICS: &'static [Metric] = counted::METRICS;
    const ENDPOINTS: Endpoints<Self> = endpoints![source "tail" => Self::tail, guarantee = at_least_once];

    fn start(host: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Tail { host: host.instance() })
    }
}

export!(Tail);

#[cfg(test)]
mod tests;

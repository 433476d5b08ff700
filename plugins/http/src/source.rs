//! The source: what clients post are messages.
//!
//! All of it is on the endpoint's thread, where one task of the runtime sends, and the others are connections:
//!
//! 1. A connection reads a request, within all bounds, and makes messages of it.
//! 2. The [sending](sending) task sends these, those of waiting requests together, and says what came of it.
//! 3. The connection answers.
//!
//! A thread for the connections and another one to send would wait for each other at each request, and pass the memory of
//! all messages between two cores: that cost more than reading them.

mod answer;
mod body;
mod budget;
mod config;
mod decode;
mod filled;
mod lines;
mod patient;
mod sending;
mod server;
mod taking;
mod topic;

use hookrail_abi::prelude::*;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

pub(crate) use config::Config;
use config::Wanted;
use server::Server;

/// One use of the source in a pipeline.
pub(crate) struct Listening {
    wanted: Wanted,
    host: Instance,
}

impl Listening {
    /// Refuses what could not work, and binds nothing: it may be that it never runs.
    pub(crate) fn new(config: Config, host: Instance) -> Result<Self> {
        Ok(Listening { wanted: config.wanted()?, host })
    }
}

impl Source for Listening {
    fn run(&mut self, io: &mut SourceIo<'_>) -> Result<()> {
        let (jobs, waiting) = mpsc::channel(self.wanted.max_requests);
        let Some(server) = Server::bind(&self.wanted, self.host, jobs, |pause| io.wait(pause))? else {
            return Ok(());
        };
        let spares = server.spares();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (stop, stopped) = oneshot::channel::<()>();
            let sending = async {
                let sent = sending::send(io, waiting, &spares).await;
                drop(stop);
                sent
            };
            let (served, sent) = tokio::join!(server.serve(stopped), sending);
            served?;
            Ok(sent?)
        })
    }
}

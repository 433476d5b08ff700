//! The source: what an operator publishes becomes messages.

use std::sync::Arc;

use hookrail_abi::prelude::*;

use crate::bell::{readable, wait};
use crate::link::{End, LOOK, Link, Published};

/// How many messages are sent at once.
const MOST: usize = 256;

/// One use of the source in a pipeline.
pub(crate) struct Publishing {
    pub(crate) link: Arc<Link>,
}

impl Source for Publishing {
    fn run(&mut self, io: &mut SourceIo<'_>) -> Result<()> {
        let _attached = self.link.attach(End::Source)?;
        // The operator may wait until there is room.
        self.link.bell.ring();
        let closing = io.watch();
        loop {
            let taken = self.link.state().take_published(MOST);
            if !taken.is_empty() {
                self.send(io, taken)?;
                continue;
            }
            if io.is_closed() {
                return Ok(());
            }
            self.link.check()?;
            match &closing {
                Some(closing) => wait(&mut [readable(closing), readable(&self.link.source)], None),
                None => wait(&mut [readable(&self.link.source)], Some(LOOK)),
            }
            self.link.source.hear();
        }
    }
}

impl Publishing {
    /// # Errors
    /// If the host has closed the source: then all of it waits for the next one.
    fn send(&self, io: &mut SourceIo<'_>, taken: Vec<Published>) -> Result<(), Closed> {
        let (mut messages, rest): (Vec<_>, Vec<_>) =
            taken.into_iter().map(|published| (published.message, (published.receipt, published.size))).unzip();
        let sent = io.send_batch(&mut messages, None);
        let mut state = self.link.state();
        match sent {
            Ok(()) => state.receipts.extend(rest.into_iter().filter_map(|(receipt, _)| receipt)),
            Err(Closed) => {
                let rest = messages.into_iter().zip(rest);
                state.publish_first(rest.map(|(message, (receipt, size))| Published { message, receipt, size }));
            }
        }
        drop(state);
        self.link.bell.ring();
        sent
    }
}

//! Messages on their way to the host.

use hookrail_abi::prelude::*;
use hookrail_abi::{Closed, MessageId};

use crate::counted;

/// Messages of one file that are sent together.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// All are used again; the first `count` are to be sent.
    messages: Vec<Message>,
    count: usize,
    bytes: usize,
    /// How many of them are cut.
    cut: u64,
    timestamp: u64,
}

impl Outbox {
    const MESSAGES: usize = 256;
    const BYTES: usize = 256 << 10;

    pub(crate) fn new() -> Self {
        Outbox { messages: vec![Message::empty(); Self::MESSAGES], count: 0, bytes: 0, cut: 0, timestamp: 0 }
    }

    /// Adds a message; there is room unless it [is full](Self::is_full). `cut` bytes of its line are missing.
    pub(crate) fn push(&mut self, topic: &str, source: &str, body: &[u8], cut: u64) {
        let message = &mut self.messages[self.count];
        if self.count == 0 {
            (message.id, self.timestamp) = MessageId::now();
        } else {
            // One look at the clock is enough for all of them.
            message.id = MessageId::at(self.timestamp);
        }
        message.timestamp = self.timestamp;
        message.source.set(source);
        message.topic.set(topic);
        message.headers.clear();
        if cut > 0 {
            self.cut += 1;
            message.add_header("truncated", &cut.to_string());
        }
        message.body.set(body);
        self.count += 1;
        self.bytes += body.len();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count == Self::MESSAGES || self.bytes >= Self::BYTES
    }

    /// Sends what there is, and the mark.
    pub(crate) fn send(&mut self, io: &mut SourceIo<'_>, key: &str, value: &str) -> Result<(), Closed> {
        let count = std::mem::take(&mut self.count);
        let cut = std::mem::take(&mut self.cut);
        self.bytes = 0;
        io.send_batch(&mut self.messages[..count], Some(Mark { key, value }))?;
        // What the host has not taken comes again.
        counted::cut(cut);
        Ok(())
    }
}

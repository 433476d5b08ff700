//! A line becomes a message.

use hookrail::{Message, MessageId};

use super::object::Fields;
use crate::args::{InputFormat, Run};

/// How many bytes topic, source and headers of a message in JSON may have.
const BESIDE_BODY: usize = 1 << 20;

/// Parses lines. One message is reused for all of them, so that no line costs an allocation.
pub(super) struct Parser<'a> {
    options: &'a Run,
    pub(super) message: Message,
}

/// What a line of JSON is.
pub(super) enum Parsed {
    Blank,
    Message,
    /// Its body, or what is beside that, is longer than allowed.
    TooLong {
        length: u64,
    },
}

/// The longest line that can have a body of the allowed length.
pub(super) fn longest_line(options: &Run) -> usize {
    let body = options.max_line.0;
    match options.input_format {
        // JSON writes a control character as six; topic, source and headers come on top.
        InputFormat::Json => body.saturating_add(BESIDE_BODY).saturating_mul(6),
        InputFormat::Ndjson | InputFormat::Text => body,
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(options: &'a Run) -> Self {
        Parser { options, message: Message::empty() }
    }

    /// Fills the message with a line. Always inlined: a call would cost each line of text.
    #[inline(always)]
    pub(super) fn fill(&mut self, text: &[u8], source: &str, now: u64) {
        let message = &mut self.message;
        message.id = MessageId::at(now);
        message.timestamp = now;
        message.flags = 0;
        message.body.set(text);
        message.headers.clear();
        // A plugin may have changed them; usually none has, and comparing is cheaper than copying.
        if message.source != *source {
            message.source.set(source);
        }
        if message.topic != *self.options.topic {
            message.topic.set(&self.options.topic);
        }
    }

    /// Parses a line of JSON into the message. Never inlined: lines of text must not pay for it.
    ///
    /// # Errors
    /// If the line is no message.
    #[inline(never)]
    pub(super) fn parse(&mut self, line: &[u8], source: &str, now: u64) -> Result<Parsed, serde_json::Error> {
        if line.trim_ascii().is_empty() {
            return Ok(Parsed::Blank);
        }
        if self.options.input_format == InputFormat::Ndjson {
            self.fill(line, source, now);
            let fields = Fields { topic: self.options.topic_field.as_deref(), headers: &self.options.header_fields };
            fields.take(line, &mut self.message)?;
            return Ok(Parsed::Message);
        }
        self.message = serde_json::from_slice(line)?;
        let Message { source: from, topic, headers, body, .. } = &self.message;
        let beside = headers.iter().map(|header| header.key.len() + header.value.len()).sum::<usize>();
        let beside = from.len() + topic.len() + beside;
        if body.len() > self.options.max_line.0 || beside > BESIDE_BODY {
            return Ok(Parsed::TooLong { length: (body.len() + beside) as u64 });
        }
        if self.message.source.is_empty() {
            self.message.source.set(source);
        }
        if self.message.topic.is_empty() {
            self.message.topic.set(&self.options.topic);
        }
        Ok(Parsed::Message)
    }

    /// The end of a message as text, whose line had this one.
    pub(super) fn end(&self, of_line: &'static [u8]) -> &'static [u8] {
        if self.options.input_format == InputFormat::Json { b"\n" } else { of_line }
    }
}

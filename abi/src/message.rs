//! The message: the payload of the built-in `message.*` points.

mod dropped;
mod id;
mod json;

use serde::{Deserialize, Serialize};

pub use dropped::{DropKind, Dropped};
pub use id::{InvalidMessageId, MessageId};

use crate::{Bytes, List, Payload, Text};

/// One message of a stream. Its layout is fixed: it grows by `hookrail-*` headers only.
///
/// As JSON: `id` is a string, `timestamp` is RFC 3339 with nine fractional digits, `headers` is `[["key","value"]]`,
/// and the content is `body` if it is UTF-8, else `body_base64`. As MessagePack: its fields.
#[repr(C)]
#[derive(Payload, Clone, Debug, PartialEq)]
pub struct Message {
    /// A UUID of version 7.
    pub id: MessageId,
    /// When the message was created, in nanoseconds since the Unix epoch.
    pub timestamp: u64,
    /// Reserved for the host; leave them as they are.
    pub flags: u64,
    /// Where the message came from, for example a file name or a client.
    pub source: Text,
    /// The topic: dot-separated tokens.
    pub topic: Text,
    /// The headers, in order; a key may repeat.
    pub headers: List<Header>,
    /// The content.
    pub body: Bytes,
    /// Reserved for the host; leave them as they are.
    reserved: [u64; 4],
}

/// One header of a message.
#[repr(C)]
#[derive(Payload, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The key; case-sensitive.
    pub key: Text,
    /// The value.
    pub value: Text,
}

impl Message {
    /// A message created now, with a fresh id.
    pub fn new(topic: &str, body: impl Into<Bytes>) -> Self {
        let (id, timestamp) = MessageId::now();
        Message { id, timestamp, topic: topic.into(), body: body.into(), ..Message::empty() }
    }

    /// An empty message with the nil id, to be filled in; allocates nothing.
    pub const fn empty() -> Self {
        Message {
            id: MessageId::NIL,
            timestamp: 0,
            flags: 0,
            source: Text::new(),
            topic: Text::new(),
            headers: List::new(),
            body: Bytes::new(),
            reserved: [0; 4],
        }
    }

    /// Makes it [empty](Self::empty), keeping its allocated memory.
    pub fn clear(&mut self) {
        let Message { id, timestamp, flags, source, topic, headers, body, reserved } = self;
        (*id, *timestamp, *flags, *reserved) = (MessageId::NIL, 0, 0, [0; 4]);
        source.clear();
        topic.clear();
        headers.clear();
        body.clear();
    }

    /// How much memory its texts, its headers and its body have, in bytes, whether they use it or not.
    pub fn allocated(&self) -> usize {
        let texts: usize = self.headers.iter().map(|header| header.key.capacity() + header.value.capacity()).sum();
        let headers = self.headers.capacity() * size_of::<Header>() + texts;
        self.source.capacity() + self.topic.capacity() + headers + self.body.capacity()
    }

    /// The value of the first header with that key.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.key == *key).map(|header| header.value.as_str())
    }

    /// Appends a header; others with that key stay.
    pub fn add_header(&mut self, key: &str, value: &str) {
        self.headers.push(Header { key: key.into(), value: value.into() });
    }

    /// Sets the first header with that key, or appends one.
    pub fn set_header(&mut self, key: &str, value: &str) {
        match self.headers.iter_mut().find(|header| header.key == *key) {
            Some(header) => header.value.set(value),
            None => self.add_header(key, value),
        }
    }
}

impl Default for Message {
    fn default() -> Self {
        Message::empty()
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn all_that_a_message_has_allocated_counts() {
        assert_eq!(Message::empty().allocated(), 0);
        let mut message = Message::new(&"a".repeat(1000), vec![b'x'; 2000]);
        message.add_header(&"b".repeat(3000), &"c".repeat(4000));
        message.source.set(&"d".repeat(5000));
        let allocated = message.allocated();
        assert!((15_000..20_000).contains(&allocated), "{allocated}");
        message.body.clear();
        assert_eq!(message.allocated(), allocated, "whether it is used or not");
    }

    #[test]
    fn layouts_are_those_of_abi_1_0() {
        assert_eq!([size_of::<Text>(), size_of::<Bytes>(), size_of::<MessageId>()], [24, 24, 16]);
        assert_eq!([align_of::<Text>(), align_of::<Bytes>(), align_of::<MessageId>()], [8, 8, 1]);

        let Message { id: _, timestamp: _, flags: _, source: _, topic: _, headers: _, body: _, reserved: _ } =
            Message::empty();
        assert_eq!(size_of::<Message>(), 160);
        assert_eq!(offset_of!(Message, id), 0);
        assert_eq!(offset_of!(Message, timestamp), 16);
        assert_eq!(offset_of!(Message, flags), 24);
        assert_eq!(offset_of!(Message, source), 32);
        assert_eq!(offset_of!(Message, topic), 56);
        assert_eq!(offset_of!(Message, headers), 80);
        assert_eq!(offset_of!(Message, body), 104);
        assert_eq!(offset_of!(Message, reserved), 128);

        assert_eq!(size_of::<Header>(), 48);
        assert_eq!([offset_of!(Header, key), offset_of!(Header, value)], [0, 24]);
    }
}

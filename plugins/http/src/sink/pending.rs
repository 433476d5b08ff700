//! What was received and is not answered for, as it is sent.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hookrail_abi::MessageId;
use hookrail_abi::prelude::*;
use hyper::body::Bytes;
use sha2::{Digest, Sha256};

use super::config::Form;

/// How much memory is kept for the next batch after a large one.
const KEPT: usize = 4 << 20;

/// Messages in their order, each one encoded once.
pub(crate) struct Pending {
    form: Form,
    /// Whether a request may have several.
    is_many: bool,
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    id: MessageId,
    /// Where its bytes end.
    end: usize,
    /// Why it cannot be sent.
    fault: Option<&'static str>,
}

/// What is sent in one request, as often as it takes.
pub(crate) struct Batch {
    pub(crate) count: usize,
    pub(crate) body: Bytes,
    /// The same whenever the same messages are sent together, also by another host.
    pub(crate) id: String,
}

impl Pending {
    pub(crate) fn new(form: Form, is_many: bool) -> Self {
        Pending { form, is_many, bytes: Vec::new(), entries: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn put(&mut self, message: &Message) -> Result<()> {
        let mut fault = None;
        match self.form {
            Form::Message => serde_json::to_writer(&mut self.bytes, message)?,
            Form::Body => {
                if self.is_many && message.body.contains(&b'\n') {
                    fault = Some("its body has newlines: let `form` be \"message\", or `max_messages` 1");
                }
                self.bytes.extend_from_slice(&message.body);
            }
        }
        if self.form == Form::Message || self.is_many {
            self.bytes.push(b'\n');
        }
        self.entries.push(Entry { id: message.id, end: self.bytes.len(), fault });
        Ok(())
    }

    /// Why the oldest one cannot be sent.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        self.entries.first().and_then(|entry| entry.fault)
    }

    /// The oldest one, as it is sent.
    pub(crate) fn first(&self) -> &[u8] {
        &self.bytes[..self.entries.first().map_or(0, |entry| entry.end)]
    }

    /// The oldest ones, at least one: so many, and so many bytes, at most.
    pub(crate) fn batch(&self, most: usize, most_bytes: usize, gzip: bool) -> Result<Batch> {
        let fits = |(index, entry): &(usize, &Entry)| {
            entry.fault.is_none() && *index < most.max(1) && (*index == 0 || entry.end <= most_bytes)
        };
        let count = self.entries.iter().enumerate().take_while(fits).count();
        let end = count.checked_sub(1).map_or(0, |last| self.entries[last].end);
        let bytes = &self.bytes[..end];
        let mut hash = Sha256::new();
        for entry in &self.entries[..count] {
            hash.update(entry.id.to_string());
            hash.update(entry.end.to_le_bytes());
        }
        let id = hash.chain_update(bytes).finalize();
        let body = if gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes)?;
            encoder.finish()?
        } else {
            bytes.to_vec()
        };
        Ok(Batch { count, body: body.into(), id: id[..16].iter().map(|byte| format!("{byte:02x}")).collect() })
    }

    /// The oldest `count` are answered for.
    pub(crate) fn remove(&mut self, count: usize) {
        let end = count.checked_sub(1).map_or(0, |last| self.entries[last].end);
        self.bytes.drain(..end);
        if self.bytes.capacity() > KEPT {
            self.bytes.shrink_to(KEPT);
        }
        self.entries.drain(..count);
        for entry in &mut self.entries {
            entry.end -= end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(form: Form, bodies: &[&str]) -> Pending {
        let mut pending = Pending::new(form, true);
        for body in bodies {
            pending.put(&Message::new("a", *body)).unwrap();
        }
        pending
    }

    #[test]
    fn a_batch_has_what_fits_and_at_least_one() {
        let mut pending = pending(Form::Body, &["12345", "1", "2", "3"]);
        let counts = |pending: &Pending| {
            [(9, 100), (3, 100), (9, 8), (9, 7), (9, 1), (0, 1)]
                .map(|(most, bytes)| pending.batch(most, bytes, false).unwrap().count)
        };
        assert_eq!(counts(&pending), [4, 3, 2, 1, 1, 1]);
        pending.remove(1);
        assert_eq!((pending.len(), pending.bytes(), pending.first()), (3, 6, &b"1\n"[..]));
        assert_eq!(pending.batch(2, 100, false).unwrap().body, "1\n2\n");
    }

    #[test]
    fn a_large_batch_leaves_no_large_memory() {
        let mut pending = pending(Form::Body, &[&"x".repeat(3 * KEPT), "1"]);
        assert!(pending.bytes.capacity() > 2 * KEPT);
        pending.remove(1);
        assert!(pending.bytes.capacity() <= KEPT);
        assert_eq!(pending.first(), b"1\n");
    }

    #[test]
    fn the_same_messages_have_the_same_id_and_others_have_not() {
        let mut pending = pending(Form::Body, &["same", "same", "same"]);
        let first = pending.batch(2, 100, false).unwrap().id;
        assert_eq!(first, pending.batch(2, 100, true).unwrap().id);
        assert_ne!(first, pending.batch(1, 100, false).unwrap().id);
        pending.remove(1);
        assert_ne!(first, pending.batch(2, 100, false).unwrap().id, "the same bodies of other messages");
    }

    #[test]
    fn a_body_that_would_be_two_is_not_sent() {
        let pending = pending(Form::Body, &["1", "2\n3", "4"]);
        assert_eq!((pending.batch(9, 100, false).unwrap().count, pending.fault()), (1, None));
        let mut alone = Pending::new(Form::Body, false);
        alone.put(&Message::new("a", "2\n3")).unwrap();
        assert_eq!((alone.fault(), alone.first()), (None, &b"2\n3"[..]));
    }
}

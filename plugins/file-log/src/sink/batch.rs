//! Messages, as what is written to each file at once.

use hookrail_abi::prelude::*;

use super::config::Format;
use super::files::MOST_OPEN;
use super::template::Template;
use crate::line::Line;

/// From so many bytes a batch is full: what is copied for it is bounded by them and one message.
const FULL: usize = 4 << 20;

/// The first of some messages: as many as fit, for no more files than can be open at once.
#[derive(Default)]
pub(crate) struct Batch {
    /// In the order of their first messages.
    pub(crate) groups: Vec<Group>,
    /// How many messages it has.
    pub(crate) count: usize,
}

/// The messages that go to one file.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Of each message, its place in the batch and that of its first byte; never empty.
    records: Vec<(usize, usize)>,
}

impl Batch {
    pub(crate) fn of(messages: &[&Message], template: &Template, format: Format) -> Result<Self> {
        let (mut batch, mut size) = (Batch::default(), 0);
        let mut name = String::new();
        for message in messages {
            name.clear();
            template.put(&mut name, message);
            let known = batch.groups.iter().position(|group| group.name == name);
            if size >= FULL || known.is_none() && batch.groups.len() == MOST_OPEN {
                break;
            }
            let at = known.unwrap_or_else(|| {
                batch.groups.push(Group { name: name.clone(), bytes: Vec::new(), records: Vec::new() });
                batch.groups.len() - 1
            });
            size += batch.groups[at].put(batch.count, message, format)?;
            batch.count += 1;
        }
        Ok(batch)
    }
}

impl Group {
    /// The place of its first message in the batch.
    pub(crate) fn first(&self) -> usize {
        self.records[0].0
    }

    /// How many bytes its messages have that come before that place in the batch.
    pub(crate) fn bytes_before(&self, place: usize) -> usize {
        let index = self.records.partition_point(|(of, _)| *of < place);
        self.records.get(index).map_or(self.bytes.len(), |(_, start)| *start)
    }

    /// Returns how many bytes it has put.
    fn put(&mut self, place: usize, message: &Message, format: Format) -> Result<usize> {
        let start = self.bytes.len();
        self.records.push((place, start));
        match format {
            Format::Json => message.put(&mut self.bytes, crate::config::Format::Json)?,
            Format::Text => {
                self.bytes.extend_from_slice(&message.body);
                self.bytes.push(b'\n');
            }
        }
        Ok(self.bytes.len() - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(messages: &[Message]) -> Batch {
        let messages: Vec<_> = messages.iter().collect();
        Batch::of(&messages, &Template::new("{topic}").unwrap(), Format::Text).unwrap()
    }

    #[test]
    fn messages_for_one_file_are_written_at_once_in_their_order() {
        let batch = batch(&["a1", "b1", "a2", "b2"].map(|body| Message::new(&body[..1], body)));
        let [a, b] = &*batch.groups else { panic!("{} groups", batch.groups.len()) };
        assert_eq!((&*a.name, &*a.bytes, a.first()), ("a", &b"a1\na2\n"[..], 0));
        assert_eq!((&*b.name, &*b.bytes, b.first()), ("b", &b"b1\nb2\n"[..], 1));
        assert_eq!([0, 1, 2, 3, 4].map(|place| a.bytes_before(place)), [0, 3, 3, 6, 6]);
        assert_eq!([0, 1, 2, 3, 4].map(|place| b.bytes_before(place)), [0, 0, 3, 3, 6]);
    }

    #[test]
    fn a_batch_has_no_more_files_than_can_be_open() {
        let topics = (0..MOST_OPEN).chain([0, MOST_OPEN, 0]);
        let messages: Vec<_> = topics.map(|topic| Message::new(&topic.to_string(), "a")).collect();
        let batch = batch(&messages);
        assert_eq!((batch.groups.len(), batch.count), (MOST_OPEN, MOST_OPEN + 1));
    }

    #[test]
    fn large_messages_are_not_all_copied_at_once() {
        let large = Message::new("a", vec![b'x'; FULL / 2]);
        assert_eq!(batch(&vec![large; 5]).count, 2);
    }
}

//! What messages weigh: a queue is bounded by how many they are, and by how much memory they take.

use std::iter::Sum;
use std::ops::{Add, AddAssign, SubAssign};

use hookrail_abi::{Header, Message};

/// A number of messages, and the memory that they take, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) bytes: u64,
}

impl Load {
    /// That of one message.
    pub(crate) fn of(message: &Message) -> Self {
        Load { messages: 1, bytes: (size_of::<Message>() + allocated(message)) as u64 }
    }
}

impl Add for Load {
    type Output = Load;

    fn add(self, other: Load) -> Load {
        Load { messages: self.messages + other.messages, bytes: self.bytes + other.bytes }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Load) {
        *self = *self + other;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Load) {
        self.messages -= other.messages;
        self.bytes -= other.bytes;
    }
}

impl Sum for Load {
    fn sum<I: Iterator<Item = Load>>(all: I) -> Load {
        all.fold(Load::default(), Add::add)
    }
}

/// How much memory a message has beside itself, in bytes.
pub(crate) fn allocated(message: &Message) -> usize {
    let texts: usize = message.headers.iter().map(|header| header.key.capacity() + header.value.capacity()).sum();
    let headers = message.headers.capacity() * size_of::<Header>() + texts;
    message.source.capacity() + message.topic.capacity() + headers + message.body.capacity()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_weighs_all_that_it_has() {
        let empty = Load::of(&Message::empty());
        let mut message = Message::new(&"a".repeat(1000), vec![b'x'; 2000]);
        message.add_header(&"b".repeat(3000), &"c".repeat(4000));
        message.source = "d".repeat(5000).into();
        let load = Load::of(&message);
        assert_eq!(load.messages, 1);
        assert!((15_000..20_000).contains(&(load.bytes - empty.bytes)), "{load:?}");
    }
}

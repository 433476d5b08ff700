//! Numbers and messages from a seed.

use hookrail_abi::{Message, MessageId};

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Another one, for another thread.
    pub(crate) fn fork(&mut self) -> Self {
        Random(self.next())
    }

    fn text(&mut self, most: u64) -> String {
        let len = self.below(most + 1);
        (0..len).map(|_| ['a', '.', 'ß', '→', '🦀'][self.below(5) as usize]).collect()
    }
}

/// A message with texts of up to `most` characters, sometimes empty, sometimes with many headers.
pub(crate) fn message(random: &mut Random, most: u64) -> Message {
    let mut message = Message::empty();
    message.id = MessageId::from_bytes(std::array::from_fn(|_| random.next() as u8));
    (message.timestamp, message.flags) = (random.next(), random.next());
    message.source = random.text(most / 8).into();
    message.topic = random.text(most / 8).into();
    for _ in 0..random.below(4) * random.below(4) {
        message.add_header(&random.text(8), &random.text(most / 8));
    }
    let len = random.below(4) * random.below(most + 1);
    message.body = (0..len).map(|_| random.next() as u8).collect::<Vec<_>>().into();
    message
}

/// Whether its texts are texts.
pub(crate) fn is_valid(message: &Message) -> bool {
    let is_text = |text: &str| std::str::from_utf8(text.as_bytes()).is_ok();
    is_text(&message.source)
        && is_text(&message.topic)
        && message.headers.iter().all(|header| is_text(&header.key) && is_text(&header.value))
}

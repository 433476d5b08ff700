//! Emptied messages on their way back to their source.
//!
//! A message is filled on the thread of a source, and done with on that of a sink. If the sink freed it, both threads would
//! wait for each other at the allocator, which gives memory back to where it came from: that cost half of what a pipeline
//! can carry. So its source gets it back, and fills it again.

use std::sync::Arc;

use hookrail_abi::Message;
use parking_lot::Mutex;

/// So many messages are kept for a source.
const MOST: usize = 2048;
/// Those that have more memory than that, in bytes, are freed.
const LARGE: usize = 4 << 10;

/// Emptied messages of one source.
///
/// # Invariants
/// Nobody else has one of them.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Arc<Message>>>);

impl Spares {
    /// Empties messages, and keeps those that nobody else has.
    pub(crate) fn put(&self, messages: &mut Vec<Arc<Message>>) {
        messages.retain_mut(|message| {
            let Some(message) = Arc::get_mut(message) else { return false };
            message.clear();
            message.allocated() <= LARGE
        });
        let mut spares = self.0.lock();
        messages.truncate(MOST.saturating_sub(spares.len()));
        spares.append(messages);
    }

    /// Moves all there are to `taken`, if that has none.
    pub(crate) fn take(&self, taken: &mut Vec<Arc<Message>>) {
        if taken.is_empty() {
            std::mem::swap(taken, &mut self.0.lock());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(count: usize, size: usize) -> Vec<Arc<Message>> {
        (0..count).map(|_| Arc::new(Message::new("a", vec![b'x'; size]))).collect()
    }

    fn taken(spares: &Spares) -> Vec<Arc<Message>> {
        let mut taken = Vec::new();
        spares.take(&mut taken);
        taken
    }

    #[test]
    fn what_nobody_has_comes_back_empty_with_its_memory() {
        let spares = Spares::default();
        let mut put = messages(3, 100);
        let shared = put[1].clone();
        spares.put(&mut put);
        assert!(put.is_empty());
        let taken = taken(&spares);
        assert_eq!((taken.len(), shared.body.len()), (2, 100));
        for message in taken {
            assert_eq!(*message, Message::empty());
            assert!(message.body.capacity() >= 100);
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let spares = Spares::default();
        spares.put(&mut messages(2 * MOST, 1));
        spares.put(&mut messages(1, 1));
        assert_eq!(taken(&spares).len(), MOST);
        spares.put(&mut messages(10, 2 * LARGE));
        let mut many_headers = Message::empty();
        (0..100).for_each(|_| many_headers.add_header("a", "b"));
        spares.put(&mut vec![Arc::new(many_headers)]);
        assert_eq!(taken(&spares).len(), 0);
    }

    #[test]
    fn what_a_source_has_not_used_is_used_first() {
        let spares = Spares::default();
        let mut taken = messages(1, 0);
        spares.put(&mut messages(5, 0));
        spares.take(&mut taken);
        assert_eq!(taken.len(), 1);
    }
}

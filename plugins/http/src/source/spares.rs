//! Emptied messages, which are filled again: to allocate and free the memory of each one would cost as much as to read it.

use std::mem::take;
use std::sync::{Mutex, PoisonError};

use hookrail_abi::Message;

/// So many are kept. The host leaves none with more than some KiB of memory.
const MOST: usize = 1024;

/// Emptied messages.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Message>>);

impl Spares {
    /// All there are.
    pub(crate) fn take(&self) -> Vec<Message> {
        take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what the host has left of messages that were sent, or what was taken and not used.
    pub(crate) fn put(&self, mut messages: Vec<Message>) {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The longer list stays where it is.
        if spares.len() < messages.len() {
            std::mem::swap(&mut *spares, &mut messages);
        }
        spares.append(&mut messages);
        spares.truncate(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_is_bounded() {
        let spares = Spares::default();
        assert!(spares.take().is_empty());
        let mut message = Message::new("a", "b");
        message.clear();
        spares.put(vec![message]);
        spares.put(vec![Message::empty(); 2]);
        let taken = spares.take();
        assert_eq!(taken.iter().filter(|message| message.body.capacity() > 0).count(), 1);
        assert_eq!((taken.len(), spares.take().len()), (3, 0));
        spares.put(vec![Message::empty(); MOST]);
        spares.put(vec![Message::empty(); MOST]);
        assert_eq!(spares.take().len(), MOST);
    }
}

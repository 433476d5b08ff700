//! Messages of requests, in lists that are filled again and again: to allocate and free the memory of each message would
//! cost as much as to read it.

use std::sync::{Mutex, PoisonError};

use hookrail_abi::Message;

use super::answer::Refusal;
use super::budget::Held;

/// So many messages are kept.
const MOST: usize = 1024;
/// Those that have more memory than that, in bytes, are freed.
const LARGE: usize = 4 << 10;
/// A list of so many bytes is for any request.
const SMALL: usize = 1 << 10;

/// The messages of a request.
///
/// # Invariants
/// `count` is at most the length of the list. What is behind it is emptied before it is filled.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    list: Vec<Message>,
    count: usize,
}

/// Lists that were answered for, whether their messages were sent or not.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Filled>>);

impl Filled {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn messages(&mut self) -> &mut [Message] {
        &mut self.list[..self.count]
    }

    /// Adds a message that `fill` makes of an empty one, of `most` at most; `held` has room for what it needs.
    ///
    /// # Errors
    /// Those of `fill`, or if there is no room: then it is not added.
    pub(crate) fn add(
        &mut self,
        held: &mut Held,
        most: usize,
        fill: impl FnOnce(&mut Message) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if self.count == self.list.len() {
            held.reserve(&mut self.list, 1, most)?;
            self.list.push(Message::empty());
        }
        let message = &mut self.list[self.count];
        message.clear();
        fill(message)?;
        held.grow(message.allocated())?;
        self.count += 1;
        Ok(())
    }
}

impl Spares {
    /// A list for the messages of a body of so many bytes; `held` has room for it. Unless it is small, it needs no more than
    /// the body does twice.
    pub(crate) fn take(&self, body: usize, held: &mut Held) -> Filled {
        let needs = |filled: &Filled| filled.list.capacity() * size_of::<Message>();
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = spares.iter().rposition(|filled| needs(filled) <= SMALL.max(2 * body));
        let taken = fitting.map(|place| spares.swap_remove(place));
        taken.filter(|filled| held.grow(needs(filled)).is_ok()).unwrap_or_default()
    }

    /// Keeps a list. Its messages are held by nobody then, so that none may have much memory.
    pub(crate) fn put(&self, mut filled: Filled) {
        filled.count = 0;
        filled
            .list
            .iter_mut()
            .filter(|message| message.allocated() > LARGE)
            .for_each(|message| *message = Message::empty());
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = spares.iter().map(|filled| filled.list.len()).sum();
        if !filled.list.is_empty() && kept + filled.list.len() <= MOST {
            spares.push(filled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::*;

    fn filled(spares: &Spares, held: &mut Held, count: usize, size: usize) -> Filled {
        let mut filled = spares.take(count * size, held);
        for _ in 0..count {
            let fill = |message: &mut Message| {
                assert_eq!(*message, Message::empty());
                message.body.set(&vec![b'x'; size]);
                Ok(())
            };
            filled.add(held, 10_000, fill).unwrap();
        }
        filled
    }

    #[test]
    fn what_was_sent_is_filled_again() {
        let (spares, mut held) = (Spares::default(), Budget::new(1, 1 << 30, 1).hold());
        let mut first = filled(&spares, &mut held, 3, 1000);
        assert_eq!((first.len(), first.messages().len()), (3, 3));
        let body = first.messages()[0].body.as_ptr();
        first.messages().iter_mut().for_each(Message::clear);
        spares.put(first);
        let mut second = filled(&spares, &mut held, 2, 900);
        assert_eq!(second.messages()[0].body.as_ptr(), body);
        assert_eq!(second.messages().len(), 2);
        // What was not needed is still there.
        spares.put(second);
        assert_eq!(filled(&spares, &mut held, 3, 900).messages()[0].body.as_ptr(), body);
    }

    #[test]
    fn what_is_kept_is_bounded_and_given_to_no_small_request() {
        let (spares, mut held) = (Spares::default(), Budget::new(1, 1 << 30, 1).hold());
        spares.put(filled(&Spares::default(), &mut held, MOST + 1, 1));
        assert!(spares.0.lock().unwrap().is_empty());
        spares.put(filled(&Spares::default(), &mut held, MOST - 9, 1));
        spares.put(filled(&Spares::default(), &mut held, 10, 1));
        assert_eq!(spares.0.lock().unwrap().len(), 1);
        assert_eq!(spares.take(1000, &mut held).list.len(), 0);
        assert_eq!(spares.take(1 << 20, &mut held).list.len(), MOST - 9);
    }

    /// A refused request leaves its messages as they are.
    #[test]
    fn what_is_kept_has_little_memory_whatever_was_in_it() {
        let (spares, mut held) = (Spares::default(), Budget::new(1, 1 << 30, 1).hold());
        let mut two = filled(&spares, &mut held, 2, 100);
        two.messages()[1].body.set(&[0; LARGE + 1]);
        spares.put(two);
        let kept = spares.take(1000, &mut held);
        assert_eq!(kept.list.iter().map(|message| message.allocated() > 0).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_list_is_held_by_its_capacity_and_each_message_by_what_it_needs() {
        let spares = Spares::default();
        let mut held = Budget::new(1, 10_000, 1).hold();
        let list = |capacity: usize| Filled { list: vec![Message::empty(); capacity], count: 0 };
        spares.put(list(20));
        assert_eq!(spares.take(9000, &mut held).list.len(), 20);
        // There is no room for another one.
        held.grow(6000).unwrap();
        spares.put(list(20));
        let mut filled = spares.take(9000, &mut held);
        assert_eq!(filled.list.len(), 0);
        let large = |message: &mut Message| {
            message.body.set(&[0; 4000]);
            Ok(())
        };
        filled.add(&mut held, 9, large).unwrap_err();
        assert_eq!(filled.len(), 0);
    }
}

//! How far a source is settled: what all sinks have delivered, or dropped for a reason that is counted.
//!
//! A source sends batches. Each queue that takes a message of a batch holds a share of the batch's [`Receipt`], and gives
//! it back when the message is settled. A batch is settled when no share is left, and its mark is kept when all batches
//! before it are settled, too. A share that is dropped and not given back never settles its batch: then the source sends
//! it again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::marks::Marks;

/// The batches of one source that are not settled, in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Tracker {
    marks: Arc<Marks>,
    /// That of the marks.
    generation: u64,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    /// In the order of their numbers.
    batches: VecDeque<Sent>,
    /// The number of the next one.
    next: u64,
    /// From how many on those that nobody needs are taken out.
    limit: usize,
}

/// So many batches are kept without a look at them.
const FEW: usize = 1024;

/// A batch, as its source knows it.
#[derive(Debug)]
struct Sent {
    number: u64,
    is_settled: bool,
    /// The key and the value.
    mark: Option<(String, String)>,
}

/// A batch, as those know it who hold a share of its receipt. When the last share is gone, it is settled.
#[derive(Debug)]
struct Batch {
    number: u64,
    /// Whether a share was dropped and not given back.
    is_abandoned: AtomicBool,
    tracker: Arc<Tracker>,
}

/// A share of the receipt of a batch; `None` once it was given back.
#[derive(Debug)]
pub(crate) struct Receipt(Option<Arc<Batch>>);

impl Tracker {
    pub(crate) fn new(marks: Arc<Marks>) -> Arc<Self> {
        let open = Mutex::new(Open { batches: VecDeque::new(), next: 0, limit: FEW });
        Arc::new(Tracker { generation: marks.generation(), marks, open })
    }

    /// Begins a batch; the source holds the first share until it has sent it.
    pub(crate) fn begin(self: &Arc<Self>, mark: Option<(String, String)>) -> Receipt {
        let mut open = self.open.lock();
        if let Some((key, value)) = &mark {
            self.marks.sent(key, value);
        }
        if open.batches.len() >= open.limit {
            open.compact();
        }
        let number = open.next;
        open.next += 1;
        open.batches.push_back(Sent { number, is_settled: false, mark });
        Receipt(Some(Arc::new(Batch { number, is_abandoned: AtomicBool::new(false), tracker: self.clone() })))
    }

    /// A batch is settled: keeps the marks of those that are, up to the first that is not.
    fn settled(&self, number: u64) {
        let mut open = self.open.lock();
        if let Ok(place) = open.batches.binary_search_by_key(&number, |batch| batch.number) {
            open.batches[place].is_settled = true;
        }
        while let Some(batch) = open.batches.pop_front_if(|batch| batch.is_settled) {
            if let Some((key, value)) = &batch.mark {
                self.marks.keep(self.generation, key, value);
            }
        }
    }
}

impl Sent {
    fn key(&self) -> Option<&str> {
        self.mark.as_ref().map(|(key, _)| &**key)
    }
}

impl Open {
    /// Takes out what is settled and makes no difference, while something before it is not: batches without a mark, and
    /// those whose mark the next one replaces. One message that nobody takes must not cost memory for all that follow.
    fn compact(&mut self) {
        let mut left: VecDeque<Sent> = VecDeque::new();
        for batch in self.batches.drain(..) {
            if batch.is_settled {
                if batch.key().is_none() {
                    continue;
                }
                if left.back().is_some_and(|last| last.is_settled && last.key() == batch.key()) {
                    left.pop_back();
                }
            }
            left.push_back(batch);
        }
        self.limit = (2 * left.len()).max(FEW);
        self.batches = left;
    }
}

impl Receipt {
    /// Another share.
    pub(crate) fn share(&self) -> Receipt {
        Receipt(self.0.clone())
    }

    /// Gives it back: what it was for is settled.
    pub(crate) fn settle(mut self) {
        self.0 = None;
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(batch) = &self.0 {
            // Relaxed: the last share is gone after that, and whoever drops the batch has seen what was before.
            batch.is_abandoned.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !*self.is_abandoned.get_mut() {
            self.tracker.settled(self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: &str) -> Option<(String, String)> {
        Some(("file".into(), value.into()))
    }

    #[test]
    fn a_mark_is_kept_when_all_before_it_is_settled() {
        let marks = Arc::new(Marks::in_memory());
        let tracker = Tracker::new(marks.clone());
        let (first, second, third) = (tracker.begin(mark("1")), tracker.begin(None), tracker.begin(mark("3")));
        let (one, two) = (first.share(), first.share());
        first.settle();
        third.settle();
        two.settle();
        assert_eq!(marks.kept(), []);
        one.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "1".to_owned())]);
        second.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn what_waits_for_one_message_takes_no_memory_and_is_kept_with_it() {
        let marks = Arc::new(Marks::in_memory());
        let tracker = Tracker::new(marks.clone());
        let first = tracker.begin(mark("0"));
        (0..10 * FEW).for_each(|number| tracker.begin(mark(&number.to_string()).filter(|_| number % 2 == 1)).settle());
        assert!(tracker.open.lock().batches.len() <= FEW + 1);
        assert_eq!(marks.kept(), []);
        first.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), (10 * FEW - 1).to_string())]);
    }

    #[test]
    fn what_is_left_of_an_earlier_begin_moves_no_mark() {
        let marks = Arc::new(Marks::in_memory());
        let (tracker, old) = (Tracker::new(marks.clone()), Tracker::new(marks.clone()).begin(mark("1")));
        drop(tracker);
        marks.begin_again();
        Tracker::new(marks.clone()).begin(mark("2")).settle();
        old.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn what_is_dropped_and_not_settled_is_never_kept() {
        let marks = Arc::new(Marks::in_memory());
        let tracker = Tracker::new(marks.clone());
        let receipt = tracker.begin(mark("1"));
        drop(receipt.share());
        receipt.settle();
        tracker.begin(mark("2")).settle();
        assert_eq!(marks.kept(), []);
        assert_eq!(marks.newest(), [("file".to_owned(), "2".to_owned())], "this process goes on from there");
    }
}

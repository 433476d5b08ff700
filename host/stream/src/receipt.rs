//! How far a source is settled: what all sinks have delivered, or dropped for a reason that is counted.
//!
//! A source sends batches. Each queue that takes a message of a batch holds a share of the batch's [`Receipt`], and gives
//! it back when the message is settled. A batch is settled when no share is left, and its mark is kept when all batches
//! before it are settled, too. A share that is dropped and not given back never settles its batch: then the source sends
//! it again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    batches: VecDeque<Arc<Batch>>,
    /// From how many on those that nobody needs are taken out.
    limit: usize,
}

/// So many batches are kept without a look at them.
const FEW: usize = 1024;

#[derive(Debug)]
struct Batch {
    /// How many shares of its receipt there are.
    shares: AtomicUsize,
    /// The key and the value.
    mark: Option<(String, String)>,
}

/// A share of the receipt of a batch.
#[derive(Debug)]
pub(crate) struct Receipt {
    batch: Arc<Batch>,
    tracker: Arc<Tracker>,
}

impl Tracker {
    pub(crate) fn new(marks: Arc<Marks>) -> Arc<Self> {
        let open = Mutex::new(Open { batches: VecDeque::new(), limit: FEW });
        Arc::new(Tracker { generation: marks.generation(), marks, open })
    }

    /// Begins a batch; the source holds the first share until it has sent it.
    pub(crate) fn begin(self: &Arc<Self>, mark: Option<(String, String)>) -> Receipt {
        let batch = Arc::new(Batch { shares: AtomicUsize::new(1), mark });
        let mut open = self.open.lock();
        if let Some((key, value)) = &batch.mark {
            self.marks.sent(key, value);
        }
        if open.batches.len() >= open.limit {
            open.compact();
        }
        open.batches.push_back(batch.clone());
        Receipt { batch, tracker: self.clone() }
    }

    /// Keeps the marks of the batches that are settled, up to the first that is not.
    fn advance(&self) {
        let mut open = self.open.lock();
        while let Some(batch) = open.batches.pop_front_if(|batch| batch.is_settled()) {
            if let Some((key, value)) = &batch.mark {
                self.marks.keep(self.generation, key, value);
            }
        }
    }
}

impl Batch {
    fn is_settled(&self) -> bool {
        // Acquire: pairs with the Release of the last share.
        self.shares.load(Ordering::Acquire) == 0
    }

    fn key(&self) -> Option<&str> {
        self.mark.as_ref().map(|(key, _)| &**key)
    }
}

impl Open {
    /// Takes out what is settled and makes no difference, while something before it is not: batches without a mark, and
    /// those whose mark the next one replaces. One message that nobody takes must not cost memory for all that follow.
    fn compact(&mut self) {
        let mut left: VecDeque<Arc<Batch>> = VecDeque::new();
        for batch in self.batches.drain(..) {
            if batch.is_settled() {
                if batch.key().is_none() {
                    continue;
                }
                if left.back().is_some_and(|last| last.is_settled() && last.key() == batch.key()) {
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
        // Relaxed: this share keeps the batch open.
        self.batch.shares.fetch_add(1, Ordering::Relaxed);
        Receipt { batch: self.batch.clone(), tracker: self.tracker.clone() }
    }

    /// Gives it back: what it was for is settled.
    pub(crate) fn settle(self) {
        // Release: pairs with the Acquire in `advance`.
        if self.batch.shares.fetch_sub(1, Ordering::Release) == 1 {
            self.tracker.advance();
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

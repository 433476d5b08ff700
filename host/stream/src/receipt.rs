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
    open: Mutex<VecDeque<Arc<Batch>>>,
}

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
        Arc::new(Tracker { marks, open: Mutex::default() })
    }

    /// Begins a batch; the source holds the first share until it has sent it.
    pub(crate) fn begin(self: &Arc<Self>, mark: Option<(String, String)>) -> Receipt {
        let batch = Arc::new(Batch { shares: AtomicUsize::new(1), mark });
        let mut open = self.open.lock();
        if let Some((key, value)) = &batch.mark {
            self.marks.sent(key, value);
        }
        open.push_back(batch.clone());
        Receipt { batch, tracker: self.clone() }
    }

    /// Keeps the marks of the batches that are settled, up to the first that is not.
    fn advance(&self) {
        let mut open = self.open.lock();
        // Acquire: pairs with the Release of the last share.
        while let Some(batch) = open.pop_front_if(|batch| batch.shares.load(Ordering::Acquire) == 0) {
            if let Some((key, value)) = &batch.mark {
                self.marks.keep(key, value);
            }
        }
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

//! How far a source is settled: what all sinks have delivered, or dropped for a reason that is counted.
//!
//! A source sends batches. Each queue that takes a message of a batch holds a share of the batch's [`Receipt`], and gives
//! it back when the message is settled. A batch is settled when no share is left, and its mark is kept when all batches
//! before it are settled, too. A share that is dropped and not given back never settles its batch: then the source sends
//! it again.
//!
//! The threads of a source and of its sinks would wait for each other if each share were counted when it is made and when
//! it is given back. So all shares of a batch are counted when it begins; they are split off a receipt, and joined to one,
//! without a look at the count.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

use parking_lot::Mutex;

use crate::marks::Marks;
use crate::spare::Spares;

/// The batches of one source that are not settled, in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Tracker {
    marks: Arc<Marks>,
    /// That of the marks.
    generation: u64,
    open: Mutex<Open>,
    /// Messages of the source that its sinks have emptied.
    pub(crate) spares: Spares,
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

/// A batch, as those know it who hold shares of its receipt. When the last share is gone, it is settled.
#[derive(Debug)]
struct Batch {
    number: u64,
    /// How many shares there are.
    shares: AtomicUsize,
    /// Whether a share was dropped and not given back.
    is_abandoned: AtomicBool,
    tracker: Arc<Tracker>,
}

/// Shares of the receipt of a batch.
///
/// # Invariants
/// `batch` came from `Box::into_raw`. Its count is the sum of the `shares` of all its receipts, and whoever takes the count
/// to 0 frees it: so it is there for every receipt that has shares. None has 0, but for one that is about to be dropped.
#[derive(Debug)]
pub(crate) struct Receipt {
    batch: NonNull<Batch>,
    shares: usize,
}

// SAFETY: a receipt is used as a shared reference to its batch, which is `Sync`, and whose last owner may drop it anywhere,
// since it is `Send`.
unsafe impl Send for Receipt where Batch: Send + Sync {}

impl Tracker {
    pub(crate) fn new(marks: Arc<Marks>) -> Arc<Self> {
        let open = Mutex::new(Open { batches: VecDeque::new(), next: 0, limit: FEW });
        Arc::new(Tracker { generation: marks.generation(), marks, open, spares: Spares::default() })
    }

    /// Begins a batch of which `shares` can be split off; the source holds the rest until it has sent it.
    pub(crate) fn begin(self: &Arc<Self>, mark: Option<(String, String)>, shares: usize) -> Receipt {
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
        // One of its own, so that it has one as long as it is there.
        let shares = shares + 1;
        let (count, is_abandoned) = (AtomicUsize::new(shares), AtomicBool::new(false));
        let batch = Box::new(Batch { number, shares: count, is_abandoned, tracker: self.clone() });
        // INVARIANT: it is the only receipt, and has all shares.
        Receipt { batch: NonNull::from(Box::leak(batch)), shares }
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
    /// Splits a share off.
    ///
    /// # Panics
    /// If the batch has begun with fewer.
    pub(crate) fn split(&mut self) -> Receipt {
        assert!(self.shares > 1, "a batch begins with as many shares as are split off");
        self.shares -= 1;
        // INVARIANT: the sum is what it was.
        Receipt { batch: self.batch, shares: 1 }
    }

    /// Joins shares of the same batch to these.
    ///
    /// # Errors
    /// The others, if they are of another batch.
    pub(crate) fn join(&mut self, mut others: Receipt) -> Result<(), Receipt> {
        if self.batch != others.batch {
            return Err(others);
        }
        // INVARIANT: the sum is what it was.
        self.shares += std::mem::take(&mut others.shares);
        Ok(())
    }

    /// Gives them back: what they were for is settled.
    pub(crate) fn settle(mut self) {
        self.give_back();
    }

    /// What follows up on the source of the batch.
    pub(crate) fn tracker(&self) -> &Tracker {
        &self.batch().tracker
    }

    fn batch(&self) -> &Batch {
        // SAFETY: by the type invariant it is there, since this has shares.
        unsafe { self.batch.as_ref() }
    }

    fn give_back(&mut self) {
        let shares = std::mem::take(&mut self.shares);
        // SAFETY: by the type invariant it is there, since this had shares, which are counted until the next line.
        let count = unsafe { &self.batch.as_ref().shares };
        // Release, with the fence below: whoever frees it comes after all that others have done with it.
        if count.fetch_sub(shares, Ordering::Release) == shares {
            fence(Ordering::Acquire);
            // SAFETY: by the type invariant no other receipt has shares, so nobody else has it; it came from a box.
            drop(unsafe { Box::from_raw(self.batch.as_ptr()) });
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if self.shares > 0 {
            // Relaxed: the last share is gone after that, and whoever drops the batch has seen what was before.
            self.batch().is_abandoned.store(true, Ordering::Relaxed);
            self.give_back();
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
        let (mut first, second, third) =
            (tracker.begin(mark("1"), 2), tracker.begin(None, 0), tracker.begin(mark("3"), 0));
        let (one, two) = (first.split(), first.split());
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
        let first = tracker.begin(mark("0"), 0);
        (0..10 * FEW)
            .for_each(|number| tracker.begin(mark(&number.to_string()).filter(|_| number % 2 == 1), 0).settle());
        assert!(tracker.open.lock().batches.len() <= FEW + 1);
        assert_eq!(marks.kept(), []);
        first.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), (10 * FEW - 1).to_string())]);
    }

    #[test]
    fn what_is_left_of_an_earlier_begin_moves_no_mark() {
        let marks = Arc::new(Marks::in_memory());
        let (tracker, old) = (Tracker::new(marks.clone()), Tracker::new(marks.clone()).begin(mark("1"), 0));
        drop(tracker);
        marks.begin_again();
        Tracker::new(marks.clone()).begin(mark("2"), 0).settle();
        old.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn what_is_dropped_and_not_settled_is_never_kept() {
        let marks = Arc::new(Marks::in_memory());
        let tracker = Tracker::new(marks.clone());
        let mut receipt = tracker.begin(mark("1"), 1);
        drop(receipt.split());
        receipt.settle();
        tracker.begin(mark("2"), 0).settle();
        assert_eq!(marks.kept(), []);
        assert_eq!(marks.newest(), [("file".to_owned(), "2".to_owned())], "this process goes on from there");
    }

    #[test]
    fn shares_are_of_their_batch_and_are_given_back_at_once() {
        let marks = Arc::new(Marks::in_memory());
        let tracker = Tracker::new(marks.clone());
        let (mut first, mut second) = (tracker.begin(mark("1"), 3), tracker.begin(mark("2"), 1));
        let mut joined = first.split();
        joined.join(first.split()).unwrap();
        let other = joined.join(second.split()).unwrap_err();
        first.join(joined.split()).unwrap();
        first.settle();
        assert_eq!(marks.kept(), []);
        joined.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "1".to_owned())]);
        second.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "1".to_owned())]);
        other.settle();
        assert_eq!(marks.kept(), [("file".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn shares_are_given_back_by_any_thread_and_the_last_one_settles() {
        let marks = Arc::new(Marks::in_memory());
        let tracker = Tracker::new(marks.clone());
        for round in 0..1000 {
            let mut receipt = tracker.begin(mark(&round.to_string()), 4);
            let shares: Vec<_> = (0..4).map(|_| receipt.split()).collect();
            std::thread::scope(|scope| {
                for share in shares {
                    scope.spawn(|| share.settle());
                }
                receipt.settle();
            });
            assert_eq!(marks.kept(), [("file".to_owned(), round.to_string())]);
        }
    }
}

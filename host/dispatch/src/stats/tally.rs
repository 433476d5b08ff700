//! How often the callbacks of a published chain were called: one count per dispatch.
//!
//! # Theorem
//! A dispatch comes to the callbacks of its chain in order, until one decides. So how many came to the last
//! one, and how many each of the others decided, tells how many came to each: those that came to the last, and
//! those that this one, or one between the two, decided.
//!
//! A published chain never changes, so that one count per dispatch is enough: it is made on the way to the last
//! callback, or on the cold path of whoever decides before, and all other calls cost nothing.
//! What was counted goes to the records of the callbacks and to the point, each count once, whenever somebody
//! looks ([`PointCounts::bring_in`]); for the last time when nobody can run the chain any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::Record;
use super::shards::{Shards, add};

/// The counts of one published chain.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Each thread's: how many of its dispatches came to the last callback, how many the first one decided, the
    /// second one, and so on up to the last but one.
    ended: Shards<Line>,
    /// Those of the callbacks, in order; `None` for one that is not called by whoever comes to it.
    records: Box<[Option<Arc<Record>>]>,
}

/// As many counts as fit a cache line, in one: no two threads write to the same.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; LINE]);

const LINE: usize = 8;

/// Which of the counts is that of the last callback; behind it there is the first one's.
const LAST: usize = 0;

impl Tally {
    pub(crate) fn new(records: impl Iterator<Item = Option<Arc<Record>>>) -> Self {
        let records: Box<[_]> = records.collect();
        Tally { ended: Shards::rows(records.len().div_ceil(LINE).max(1)), records }
    }

    /// As [`came_to_last`](Self::came_to_last), if its counts are nearby; returns whether they are.
    #[inline(always)]
    pub(crate) fn came_to_last_nearby(&self, number: usize) -> bool {
        let own = self.ended.nearby(number);
        own.inspect(|line| add(&line.0[LAST], 1)).is_some()
    }

    /// A dispatch of the thread with that number comes to the last callback; where there is none, to the end.
    pub(crate) fn came_to_last(&self, number: usize) {
        add(&self.ended.own(number).0[LAST], 1);
    }

    /// A dispatch of the thread with that number was decided by the callback at that place, or in its place.
    #[cold]
    pub(crate) fn decided(&self, number: usize, place: usize) {
        // It came to the last one, and was counted there.
        if place + 1 == self.records.len() {
            return;
        }
        let count = LAST + 1 + place;
        add(&self.ended.row(number)[count / LINE].0[count % LINE], 1);
    }

    /// The counts, over all threads.
    fn sums(&self) -> Vec<u64> {
        let width = self.ended.width();
        let mut sums = vec![0; width * LINE];
        for (index, line) in self.ended.all().enumerate() {
            let sums = &mut sums[index % width * LINE..][..LINE];
            // Relaxed: counts, each of which only grows.
            sums.iter_mut().zip(&line.0).for_each(|(sum, count)| *sum += count.load(Ordering::Relaxed));
        }
        sums
    }
}

/// What was counted of a point.
#[derive(Debug, Default)]
pub(crate) struct PointCounts {
    pub(crate) dispatches: u64,
    /// Those that found no callback.
    pub(crate) empty: u64,
    followed: Vec<Followed>,
}

/// The tally of a chain that is, or may still be, run.
#[derive(Debug)]
struct Followed {
    tally: Arc<Tally>,
    /// What was brought in already.
    seen: Vec<u64>,
}

impl PointCounts {
    /// A chain with these callbacks is about to be published, whose tally this is.
    pub(crate) fn follow(&mut self, records: impl Iterator<Item = Option<Arc<Record>>>) -> Arc<Tally> {
        let tally = Arc::new(Tally::new(records));
        let seen = vec![0; tally.ended.width() * LINE];
        self.followed.push(Followed { tally: tally.clone(), seen });
        tally
    }

    /// How many tallies it follows.
    #[cfg(test)]
    pub(crate) fn followed(&self) -> usize {
        self.followed.len()
    }

    /// Brings in what was counted since the last time, and lets go of the tallies of chains that are no more.
    pub(crate) fn bring_in(&mut self) {
        let Self { dispatches, empty, followed } = self;
        followed.retain_mut(|Followed { tally, seen }| {
            // Asked before the counts are read: when only this is left, the chain was dropped, and all that
            // its dispatches counted happened before.
            let is_over = Arc::get_mut(tally).is_some();
            let mut new = tally.sums();
            for (sum, seen) in new.iter_mut().zip(seen) {
                // Saturating: a signal handler that dispatches while its thread counts may set a count back.
                let more = sum.saturating_sub(*seen);
                *seen += more;
                *sum = more;
            }
            let mut coming: u64 = new.iter().sum();
            *dispatches += coming;
            *empty += if tally.records.is_empty() { coming } else { 0 };
            for (record, place) in tally.records.iter().zip(LAST + 1..) {
                if let Some(record) = record {
                    record.called(coming);
                }
                coming -= new.get(place).unwrap_or(&0);
            }
            !is_over
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody may switch levels, or register callbacks, for as long as the host lives.
    #[test]
    fn tallies_of_chains_that_are_no_more_do_not_gather() {
        let (mut counts, record) = (PointCounts::default(), Arc::<Record>::default());
        for round in 0..10_000 {
            let tally = counts.follow([Some(record.clone()), None].into_iter());
            tally.came_to_last(round % 3);
            tally.decided(0, 0);
            // As a chain that is replaced, and dropped a little later.
            counts.bring_in();
            assert_eq!(counts.followed.len(), 1);
            tally.came_to_last(0);
            drop(tally);
            if round % 2 == 0 {
                counts.bring_in();
                assert!(counts.followed.is_empty());
            }
        }
        counts.bring_in();
        assert!(counts.followed.is_empty());
        assert_eq!((counts.dispatches, counts.empty, record.calls()), (30_000, 0, 30_000));
    }

    #[test]
    fn each_count_is_brought_in_once() {
        let (mut counts, records) = (PointCounts::default(), [(); 3].map(|()| Arc::<Record>::default()));
        let tally = counts.follow(records.iter().cloned().map(Some));
        for _ in 0..3 {
            tally.came_to_last(0);
            // Decided by the last one: it came there.
            tally.decided(0, 2);
            tally.decided(70, 0);
            tally.decided(1, 1);
            counts.bring_in();
            counts.bring_in();
        }
        assert_eq!((counts.dispatches, counts.empty), (9, 0));
        assert_eq!(records.map(|record| record.calls()), [9, 6, 3]);
    }
}

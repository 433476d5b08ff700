//! How often the callbacks of a published chain were called, from one count per dispatch.
//!
//! # Theorem
//! A dispatch calls the callbacks of its chain in order, until one decides. So the number of dispatches that passed the
//! whole chain, and the number that each callback decided, tell how many reached each: those that passed, and those
//! that it, or one after it, decided.
//!
//! A published chain never changes, so one count per dispatch is enough. It is made when the dispatch ends, after the
//! last callback or on the cold path of the one that decided; the calls cost nothing. The counts are collected into the
//! records of the callbacks and into the point, each count once, whenever they are read ([`PointCounts::bring_in`]),
//! and for the last time when no thread can run the chain any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::Record;
use super::shards::{Shards, add};

/// The counts of one published chain.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Each thread's counts: how many of its dispatches passed, how many the first callback decided, how many the
    /// second, and so on.
    ended: Shards<Line>,
    /// The records of the callbacks, in order; `None` for one that a dispatch may reach without calling it.
    records: Box<[Option<Arc<Record>>]>,
}

/// As many counts as fit a cache line, in one: no two threads write to the same line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; LINE]);

const LINE: usize = 8;

/// The index of the count of those that passed; the first callback's comes after it.
const PASSED: usize = 0;

impl Tally {
    pub(crate) fn new(records: impl Iterator<Item = Option<Arc<Record>>>) -> Self {
        let records: Box<[_]> = records.collect();
        Tally { ended: Shards::rows((PASSED + 1 + records.len()).div_ceil(LINE)), records }
    }

    /// Counts a dispatch of the thread with that number that no callback decided.
    #[inline(always)]
    pub(crate) fn passed(&self, number: usize) {
        add(&self.ended.own(number).0[PASSED], 1);
    }

    /// Counts a dispatch of the thread with that number that was decided at that place in the chain.
    #[cold]
    pub(crate) fn decided(&self, number: usize, place: usize) {
        let count = PASSED + 1 + place;
        add(&self.ended.row(number)[count / LINE].0[count % LINE], 1);
    }

    /// The counts, over all threads.
    fn sums(&self) -> Vec<u64> {
        let width = self.ended.width();
        let mut sums = vec![0; width * LINE];
        for (index, line) in self.ended.all().enumerate() {
            let sums = &mut sums[index % width * LINE..][..LINE];
            // Relaxed: counters, each of which only grows.
            sums.iter_mut().zip(&line.0).for_each(|(sum, count)| *sum += count.load(Ordering::Relaxed));
        }
        sums
    }
}

/// The counts of a point.
#[derive(Debug, Default)]
pub(crate) struct PointCounts {
    pub(crate) dispatches: u64,
    /// Dispatches that found no callback.
    pub(crate) empty: u64,
    followed: Vec<Followed>,
}

/// The tally of a chain that is run, or may still be.
#[derive(Debug)]
struct Followed {
    tally: Arc<Tally>,
    /// The counts that have been collected already.
    seen: Vec<u64>,
}

impl PointCounts {
    /// Returns the tally for a chain with these callbacks, which is about to be published.
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

    /// Collects what was counted since the last time, and drops the tallies of former chains.
    pub(crate) fn bring_in(&mut self) {
        let Self { dispatches, empty, followed } = self;
        followed.retain_mut(|Followed { tally, seen }| {
            // Checked before the counts are read: if this is the only reference left, the chain was dropped, and
            // everything that its dispatches counted happened before.
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
            for (record, place) in tally.records.iter().zip(PASSED + 1..) {
                if let Some(record) = record {
                    record.called(coming);
                }
                coming -= new[place];
            }
            !is_over
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Callers may switch levels, or register callbacks, for as long as the host lives.
    #[test]
    fn tallies_of_chains_that_are_no_more_do_not_gather() {
        let (mut counts, record) = (PointCounts::default(), Arc::<Record>::default());
        for round in 0..10_000 {
            let tally = counts.follow([Some(record.clone()), None].into_iter());
            tally.passed(round % 3);
            tally.decided(0, 0);
            // Like a chain that is replaced, and dropped a little later.
            counts.bring_in();
            assert_eq!(counts.followed.len(), 1);
            tally.passed(0);
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
            tally.passed(0);
            tally.decided(0, 2);
            tally.decided(70, 0);
            tally.decided(1, 1);
            counts.bring_in();
            counts.bring_in();
        }
        assert_eq!((counts.dispatches, counts.empty), (12, 0));
        assert_eq!(records.map(|record| record.calls()), [12, 9, 6]);
    }
}

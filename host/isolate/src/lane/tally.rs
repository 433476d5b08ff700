//! How many notifications a lane was given, so that those that a dead worker has not come to are counted.
//!
//! All that is done to a tally is one atomic step on one word, so its closing comes before or after each of them: what was
//! added before it is in the count that it returns, and cannot be taken back; what comes after it is refused.

use super::sync::{AtomicU64, Ordering};

/// Set when nothing is counted any more. No writer counts so far.
const CLOSED: u64 = 1 << 63;

/// How many were queued. Alone on two cache lines, as the words of the ring are.
#[repr(align(128))]
#[derive(Debug, Default)]
pub(super) struct Tally(AtomicU64);

// Relaxed throughout: nothing else is read on account of it.
impl Tally {
    /// Adds what is about to be queued. Returns whether it may be: then it is counted, unless it is taken back.
    #[inline(always)]
    pub(super) fn add(&self, count: u64) -> bool {
        self.0.fetch_add(count, Ordering::Relaxed) & CLOSED == 0
    }

    /// Takes back what was added. Returns false if it stays counted, since the tally was closed with it.
    #[cold]
    pub(super) fn take_back(&self, count: u64) -> bool {
        let less = |now: u64| (now & CLOSED == 0).then(|| now - count);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Counts nothing any more; returns how many were queued, once.
    pub(super) fn close(&self) -> u64 {
        match self.0.fetch_or(CLOSED, Ordering::Relaxed) {
            queued if queued & CLOSED == 0 => queued,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread::spawn;

    use super::*;

    #[test]
    fn what_is_added_is_counted_or_taken_back() {
        let tally = Tally::default();
        assert!(tally.add(3) && tally.add(2) && tally.take_back(2));
        assert_eq!(tally.close(), 3);
        assert!(!tally.add(1) && !tally.take_back(1) && tally.close() == 0);
    }

    #[test]
    fn each_is_counted_or_not_whenever_it_is_closed() {
        for _ in 0..1000 {
            let tally = Arc::new(Tally::default());
            let closing = spawn({
                let tally = tally.clone();
                move || tally.close()
            });
            // Every third one finds no room.
            let is_queued = |number: &u64| tally.add(1) && (!number.is_multiple_of(3) || !tally.take_back(1));
            let queued = (0..100).filter(is_queued).count() as u64;
            assert_eq!(closing.join().unwrap(), queued);
        }
    }
}

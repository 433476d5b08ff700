//! Faults of calls for which nobody waited: each is answered for by one of the calls that follow, so that the host counts
//! them as it does others, and quarantines by them.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// The longest text that is kept, in bytes.
const LONGEST: usize = 16 << 10;

/// How many faults were not answered for, and what the last one was.
#[derive(Default)]
pub(super) struct Owed {
    count: AtomicU64,
    last: Mutex<(u32, String)>,
}

impl Owed {
    /// One more.
    pub(super) fn add(&self, kind: u32, mut text: String) {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.shrink_to_fit();
        *self.last.lock() = (kind, text);
        // Relaxed: the lock orders what belongs to it.
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one, if there is any: a kind and a text.
    #[inline]
    pub(super) fn take(&self) -> Option<(u32, String)> {
        // Relaxed: whoever does not see it yet sees it the next time.
        if self.count.load(Ordering::Relaxed) == 0 { None } else { self.take_one() }
    }

    #[cold]
    fn take_one(&self) -> Option<(u32, String)> {
        let less = |count: u64| count.checked_sub(1);
        // Relaxed: as above.
        self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()?;
        Some(self.last.lock().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_answered_for_once_and_the_last_one_is_told() {
        let owed = Owed::default();
        assert_eq!(owed.take(), None);
        owed.add(1, "first".into());
        owed.add(2, "x".repeat(2 * LONGEST));
        for _ in 0..2 {
            assert_eq!(owed.take(), Some((2, "x".repeat(LONGEST))));
        }
        assert_eq!(owed.take(), None);
    }
}

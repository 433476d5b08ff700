//! How long a side looks for its turn before it sleeps.
//!
//! Sleeping and being woken costs tens of microseconds, and looking costs the processor. So a side looks for about as
//! long as sleeping would cost, as long as that has paid off lately: each time that it has, it may look for twice as
//! long, up to a bound; each time that it has not, for half as long; and below a bound it does not look at all, but now
//! and then, to notice that times have changed.
//!
//! The first looks take no longer than the system call that they may save. For more of them a thread needs a permit, of
//! which a process has half as many as processors. A thread that may use one processor only never looks twice: whom it
//! waits for cannot run meanwhile.

use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::available_parallelism;

/// The most looks, some 50 us.
const MOST: u32 = 2048;
/// With fewer looks than that it is not worth looking.
const LEAST: u32 = 64;
/// Looks without a permit.
const FREE: u32 = 32;
/// After so many waits without looking, one looks again.
const PROBE_AFTER: u32 = 64;

/// How many threads of this process hold a permit.
static SPINNING: AtomicU32 = AtomicU32::new(0);
/// How many looks of this process, beyond the first, were in vain.
static IN_VAIN: AtomicU64 = AtomicU64::new(0);

/// How many looks of this process were in vain, each of some tens of nanoseconds: what spinning has cost.
pub fn looks_in_vain() -> u64 {
    IN_VAIN.load(Ordering::Relaxed)
}

/// One side's policy.
#[derive(Debug)]
pub struct Spin {
    /// How many looks the next wait has; none if they do not pay off.
    looks: Cell<u32>,
    /// How many waits have gone without looking.
    skipped: Cell<u32>,
    /// How many threads of this process may hold a permit.
    permits: u32,
}

impl Spin {
    /// Looks for as long as that pays off. For the thread that makes it, and those that may use the same processors.
    pub fn adaptive() -> Self {
        match available_parallelism().map_or(1, usize::from) {
            1 => Spin::never(),
            // At least one, or nobody would ever find out whether it pays off.
            processors => Spin { permits: (processors as u32 / 2).max(1), ..Spin::with(MOST) },
        }
    }

    /// Sleeps at once.
    pub fn never() -> Self {
        Spin::with(0)
    }

    fn with(looks: u32) -> Self {
        Spin { looks: Cell::new(looks), skipped: Cell::new(0), permits: 0 }
    }

    /// Looks until `seen` returns true, at least once. Returns false if it gave up.
    #[inline(always)]
    pub(super) fn until(&self, mut seen: impl FnMut() -> bool) -> bool {
        for _ in 0..self.looks.get().min(FREE) {
            if seen() {
                self.paid_off();
                return true;
            }
            spin_loop();
        }
        self.until_permitted(seen)
    }

    fn until_permitted(&self, mut seen: impl FnMut() -> bool) -> bool {
        if seen() {
            return true;
        }
        let Some(looks) = self.budget() else { return false };
        let Some(_permit) = Permit::take(self.permits) else { return false };
        for _ in FREE..looks {
            if seen() {
                self.paid_off();
                return true;
            }
            spin_loop();
        }
        // Relaxed: a count.
        IN_VAIN.fetch_add(u64::from(looks), Ordering::Relaxed);
        self.looks.set(if looks / 2 < LEAST { 0 } else { looks / 2 });
        false
    }

    /// How many looks this wait has, if any.
    fn budget(&self) -> Option<u32> {
        if self.looks.get() > 0 {
            return Some(self.looks.get());
        }
        if self.permits == 0 {
            return None;
        }
        self.skipped.set(self.skipped.get() + 1);
        if self.skipped.get() < PROBE_AFTER {
            return None;
        }
        self.skipped.set(0);
        // If it is in vain, the next wait has none again.
        Some(2 * LEAST - 1)
    }

    #[inline(always)]
    fn paid_off(&self) {
        if self.looks.get() < MOST {
            self.looks.set((self.looks.get() * 2).clamp(2 * LEAST, MOST));
        }
    }
}

/// Leave to look more often.
struct Permit;

impl Permit {
    fn take(permits: u32) -> Option<Permit> {
        // Relaxed, here and below: a count, which orders nothing.
        let taken = SPINNING.try_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < permits).then(|| now + 1));
        taken.is_ok().then(|| Permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        SPINNING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy as of a machine with many processors, so that other tests cannot use up the permits.
    fn spin() -> Spin {
        Spin { permits: u32::MAX, ..Spin::with(MOST) }
    }

    fn looks(spin: &Spin, until: u32) -> u32 {
        let mut looks = 0;
        spin.until(|| {
            looks += 1;
            looks > until
        });
        looks
    }

    #[test]
    fn what_does_not_pay_off_is_given_up_and_tried_again() {
        let spin = spin();
        assert!(looks(&spin, u32::MAX) >= MOST);
        (0..10).for_each(|_| _ = looks(&spin, u32::MAX));
        assert_eq!(looks(&spin, u32::MAX), 1, "it sleeps at once");
        let more = (0..PROBE_AFTER).map(|_| looks(&spin, u32::MAX)).max().unwrap();
        assert!(more > 1 && more < MOST, "now and then it looks: {more}");
        (0..PROBE_AFTER).for_each(|_| _ = looks(&spin, 40));
        assert!(looks(&spin, u32::MAX) > MOST / 2, "it pays off again");
    }

    #[test]
    fn whoever_has_no_permit_looks_a_few_times() {
        let spin = Spin { permits: 0, ..Spin::with(MOST) };
        assert!(looks(&spin, u32::MAX) <= FREE + 1);
        assert_eq!(looks(&Spin::never(), u32::MAX), 1);
    }
}

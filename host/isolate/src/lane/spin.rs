//! How long a side looks for its turn before it sleeps.
//!
//! Sleeping and being woken costs tens of microseconds, and looking costs the processor. So a side looks for about as
//! long as sleeping would cost, as long as that has paid off lately: each wait that it has ended earns a credit, each
//! that it has not costs several. Without credit a side sleeps at once, but for one wait in many, to notice that times
//! have changed. That one looks for as long as any other: the other side may be asleep too, and the reply to who woke it
//! must still be worth something, or neither would ever find out.
//!
//! The first looks take no longer than the system call that they may save. For more of them a thread needs a permit, of
//! which a process has half as many as processors. A thread that may use one processor only never looks twice: whom it
//! waits for cannot run meanwhile.

use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::available_parallelism;

/// The looks of a wait, some 30 us.
const LOOKS: u32 = 2048;
/// Looks without a permit.
const FREE: u32 = 32;
/// The most credits.
const RICH: u32 = 16;
/// What a wait costs that looking did not end.
const IN_VAIN: u32 = 4;
/// One of so many waits looks without credit.
const PROBE: u32 = 64;

/// How many threads of this process hold a permit.
static SPINNING: AtomicU32 = AtomicU32::new(0);
/// How many looks of this process were in vain.
static LOOKS_IN_VAIN: AtomicU64 = AtomicU64::new(0);

/// How many looks of this process were in vain, each of some ten nanoseconds: what spinning has cost.
pub fn looks_in_vain() -> u64 {
    LOOKS_IN_VAIN.load(Ordering::Relaxed)
}

/// One side's policy.
#[derive(Debug)]
pub struct Spin {
    credit: Cell<u32>,
    /// How many waits have gone without credit.
    skipped: Cell<u32>,
    /// How many threads of this process may hold a permit; none if this one never spins.
    permits: u32,
}

impl Spin {
    /// Looks for as long as that pays off. For the thread that makes it, and those that may use the same processors.
    pub fn adaptive() -> Self {
        match available_parallelism().map_or(1, usize::from) {
            1 => Spin::never(),
            processors => Spin::with_permits(processors as u32 / 2),
        }
    }

    /// Sleeps at once.
    pub fn never() -> Self {
        Spin::with_permits(0)
    }

    fn with_permits(permits: u32) -> Self {
        Spin { credit: Cell::new(if permits > 0 { RICH } else { 0 }), skipped: Cell::new(0), permits }
    }

    /// Looks until `seen` returns true, at least once. Returns false if it gave up.
    #[inline(always)]
    pub(super) fn until(&self, mut seen: impl FnMut() -> bool) -> bool {
        if self.credit.get() > 0 {
            for _ in 0..FREE {
                if seen() {
                    self.paid_off();
                    return true;
                }
                spin_loop();
            }
        }
        self.until_permitted(seen)
    }

    #[inline(never)]
    fn until_permitted(&self, mut seen: impl FnMut() -> bool) -> bool {
        if seen() {
            return true;
        }
        if self.permits == 0 || self.credit.get() == 0 && !self.is_probe() {
            return false;
        }
        let Some(_permit) = Permit::take(self.permits) else { return false };
        for _ in FREE..LOOKS {
            if seen() {
                self.paid_off();
                return true;
            }
            spin_loop();
        }
        // Relaxed: a count.
        LOOKS_IN_VAIN.fetch_add(u64::from(LOOKS), Ordering::Relaxed);
        self.credit.set(self.credit.get().saturating_sub(IN_VAIN));
        false
    }

    /// Whether to look without credit.
    fn is_probe(&self) -> bool {
        self.skipped.set((self.skipped.get() + 1) % PROBE);
        self.skipped.get() == 0
    }

    #[inline(always)]
    fn paid_off(&self) {
        if self.credit.get() < RICH {
            self.credit.set(self.credit.get() + 1);
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

    /// How often it looks for what is there after so many looks.
    fn looks(spin: &Spin, until: u32) -> u32 {
        let mut looks = 0;
        spin.until(|| {
            looks += 1;
            looks > until
        });
        looks
    }

    /// With so many permits that other tests cannot use them up.
    #[test]
    fn what_does_not_pay_off_is_given_up_and_tried_again() {
        let spin = Spin::with_permits(u32::MAX);
        assert!(looks(&spin, u32::MAX) >= LOOKS);
        (0..RICH / IN_VAIN).for_each(|_| _ = looks(&spin, u32::MAX));
        assert_eq!(looks(&spin, u32::MAX), 1, "it sleeps at once");
        assert!((0..PROBE).any(|_| looks(&spin, 1000) > 1), "now and then it looks");
        assert_eq!(looks(&spin, 1000), 1001, "it has paid off");
        (0..RICH).for_each(|_| _ = looks(&spin, 1));
        (0..2).for_each(|_| _ = looks(&spin, u32::MAX));
        assert_eq!(looks(&spin, 1000), 1001, "twice in vain, and it still has credit");
    }

    #[test]
    fn whoever_has_no_permit_looks_a_few_times() {
        let spin = Spin { credit: Cell::new(RICH), ..Spin::never() };
        assert_eq!(looks(&spin, u32::MAX), FREE + 1);
        assert_eq!((0..2 * PROBE).map(|_| looks(&Spin::never(), u32::MAX)).max(), Some(1));
    }
}

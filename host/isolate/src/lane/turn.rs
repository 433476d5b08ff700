//! The word by which the two sides of a lane take turns.
//!
//! Its upper bits count the turns: while the count is even the turn is the host's, while it is odd the worker's. The
//! side that has the turn writes whatever the other one is to see, and passes the turn by adding one. Below the count
//! are three bits: whether the other side sleeps ([`PARKED`]), whether both are to give up ([`POISONED`]), and whether
//! the turn was passed with something new, a request or an upcall, or with the answer to one ([`OPENS`]).
//!
//! # Theorem
//! Let both sides pass only a turn that they have. Then
//! 1. whoever sees his turn sees everything that the other side wrote before it passed it, and no answer is taken for
//!    that to another request;
//! 2. whoever waits is not asleep for good once the turn was passed or the word poisoned.
//!
//! *Proof.* (1) `pass` writes the word with Release, `look` reads it with Acquire. The answer to what was passed with
//! count n has the count n + 1, and a lane whose answer was not waited for is not used again.
//!
//! (2) A sleeper has moved the word from "not passed" to "not passed, and parked" before it sleeps, and the kernel lets
//! it sleep only while the word is just that. All writes of the word are atomic read-modify-writes of one word, so they
//! have one order. Either `pass` or `poison` comes later in it than the parking: then it finds `PARKED`, or wakes in any
//! case, and the sleeper either finds the word changed or is woken. Or it comes earlier: then the parking fails, and the
//! waiter looks again. Poison is never lost: `pass`, which overwrites it, finds that out and poisons again.
//!
//! A worker that breaks the rule can make the host see its turn early, or wait until its patience ends; it is what the
//! host reads then, and does with it, that must be safe.

use std::time::Duration;

use super::sync::{AtomicU32, Ordering, sleep, wake};

/// Whoever does not have the turn sleeps.
const PARKED: u32 = 1;
/// Both sides are to give up.
const POISONED: u32 = 2;
/// The turn was passed with a request or an upcall, not with an answer.
pub(crate) const OPENS: u32 = 4;
/// One turn.
const TURN: u32 = 8;

/// The word. Zeroed memory is the host's first turn.
#[repr(transparent)]
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicU32);

/// What somebody sees who has passed the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The other side has it still.
    Theirs,
    /// It came back: this is the word now, to be passed on from.
    Ours(u32),
    /// Both sides are to give up.
    Poisoned,
    /// The word is neither: the other side does not keep to the rules.
    Nonsense,
}

/// What follows a word that somebody has seen or passed: one turn on.
pub(crate) fn next(word: u32, opens: bool) -> u32 {
    (word & !(PARKED | POISONED | OPENS)).wrapping_add(TURN) | if opens { OPENS } else { 0 }
}

/// Whether the turn that this word gives came with a request or an upcall.
pub(crate) fn opens(word: u32) -> bool {
    word & OPENS != 0
}

impl Turn {
    /// Looks at the word, for somebody who passed it on as `passed`.
    #[inline(always)]
    pub(crate) fn look(&self, passed: u32) -> Seen {
        // Acquire: pairs with the Release in `pass`.
        let word = self.0.load(Ordering::Acquire);
        let bare = word & !PARKED;
        if bare == passed {
            Seen::Theirs
        } else if bare & !OPENS == next(passed, false) {
            Seen::Ours(bare)
        } else if word & POISONED != 0 {
            Seen::Poisoned
        } else {
            Seen::Nonsense
        }
    }

    /// Passes the turn. Returns false if the word was poisoned, which it stays.
    #[inline(always)]
    #[must_use]
    pub(crate) fn pass(&self, word: u32) -> bool {
        // Release: pairs with the Acquire in `look`.
        let before = self.0.swap(word, Ordering::Release);
        if before & (PARKED | POISONED) != 0 {
            self.passed_to_sleeper(before);
        }
        before & POISONED == 0
    }

    #[cold]
    fn passed_to_sleeper(&self, before: u32) {
        if before & POISONED != 0 {
            self.poison();
        }
        wake(&self.0);
    }

    /// Sleeps until the turn is passed, or for at most as long as `most`; may return at any time. `is_needless` is
    /// asked once the other side can know that this one sleeps: whoever lets it become true and then wakes is not
    /// missed.
    pub(crate) fn park(&self, passed: u32, most: Option<Duration>, is_needless: impl FnOnce() -> bool) {
        let parked = passed | PARKED;
        // Acquire: pairs with the Release in `unpark`, and in `poison`: `is_needless` sees what came before it.
        let found = self.0.compare_exchange(passed, parked, Ordering::AcqRel, Ordering::Acquire);
        let is_parked = found.is_ok() || found == Err(parked);
        if is_parked && !is_needless() {
            sleep(&self.0, parked, most);
        }
    }

    /// Wakes whoever sleeps without the turn. If nobody does, whoever parks later sees what came before this.
    #[cold]
    pub(crate) fn unpark(&self) {
        // Release: pairs with the Acquire in `park`.
        if self.0.fetch_and(!PARKED, Ordering::AcqRel) & PARKED != 0 {
            wake(&self.0);
        }
    }

    /// Makes both sides give up.
    pub(crate) fn poison(&self) {
        // Release: pairs with the Acquire in `look`: whoever sees it sees why.
        self.0.fetch_or(POISONED, Ordering::AcqRel);
        wake(&self.0);
    }
}

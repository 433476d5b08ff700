//! What is passed along with the turn, in its cache line: a reply in short, or what an upcall is.
//!
//! Relaxed throughout: only the side that has the turn writes here, and the other one reads when it has seen the turn
//! passed, by the Release in `Turn::pass` and the Acquire in `Turn::look`. A hostile side may write at any time; so
//! each word is read once, to private memory, and judged there.

use super::sync::{AtomicU64, Ordering};

/// How many words fit the line of the turn.
pub(crate) const WORDS: usize = 7;

/// The words.
#[repr(transparent)]
#[derive(Debug, Default)]
pub(crate) struct Mail([AtomicU64; WORDS]);

impl Mail {
    /// Writes the first words. Called by the side that has the turn.
    #[inline(always)]
    pub(crate) fn put(&self, words: &[u64]) {
        self.0.iter().zip(words).for_each(|(word, value)| word.store(*value, Ordering::Relaxed));
    }

    /// Copies the words. Called by the side that has the turn.
    #[inline(always)]
    pub(crate) fn take(&self) -> [u64; WORDS] {
        std::array::from_fn(|at| self.0[at].load(Ordering::Relaxed))
    }
}

/// The lower and the upper half of a word.
pub(crate) fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

/// A word of two halves.
pub(crate) fn joined(lower: u32, upper: u32) -> u64 {
    u64::from(lower) | u64::from(upper) << 32
}

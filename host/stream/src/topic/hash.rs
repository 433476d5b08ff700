//! The hash of a token: a few instructions, and nobody can choose tokens that collide.
//!
//! The words `w` of a token, among them its length, are multiplied with secret random numbers `k` and added up:
//!
//! > sum = ((k₀ + k₁w₁ + k₂w₂ + ...) mod 2^128) / 2^64
//!
//! **Theorem** (Dietzfelbinger 1996; Lemire and Kaser, *Strongly universal string hashing is fast*, 2014). With words of
//! 64 bits and uniform keys of 128, the sums of any two different tokens are independent and uniform.
//!
//! So two tokens share a place in a table of n places with probability 1/n, however they were chosen, as long as the
//! chooser does not know the keys: they are drawn once per process, and nobody sees a hash or the order of a table. A
//! sum alone would map `a-1`, `a-2`, `a-3` to equal steps, which crowd together now and then; a bijection after it,
//! which leaves the theorem as it is, breaks the steps. The default hash of the standard library promises no more, at
//! some hundred instructions for a short token.

use std::array;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::LazyLock;

use super::pattern::Pattern;

/// How to build a [`TokenHasher`].
pub(super) type HashTokens = BuildHasherDefault<TokenHasher>;

/// Hashes one text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TokenHasher(u64);

impl Hasher for TokenHasher {
    #[inline]
    fn write(&mut self, text: &[u8]) {
        self.0 = hash(&KEYS, text);
    }

    /// A `str` ends with a mark against its next neighbour, and a token has none.
    #[inline]
    fn write_u8(&mut self, _: u8) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// One key alone, one for the length, one for the last word, and one per word of the longest token of a pattern.
type Keys = [u128; 3 + Pattern::MAX_BYTES / 8];

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let secret = RandomState::new();
    array::from_fn(|key| {
        let half = |which: u8| u128::from(secret.hash_one((key, which)));
        half(0) << 64 | half(1)
    })
});

/// The hash of a text. Of a text longer than any pattern, the words without a key do not count: it is in no table, so
/// any hash will do.
#[inline]
fn hash(keys: &Keys, text: &[u8]) -> u64 {
    let [alone, of_length, of_last, of_words @ ..] = keys;
    let product = |key: &u128, word: u64| key.wrapping_mul(u128::from(word));
    let mut sum = alone.wrapping_add(product(of_length, text.len() as u64));
    // What is left over by whole words is read together with bytes before it: the words and the length are still those
    // of one text only.
    let last = if let Some(last) = text.last_chunk::<8>() {
        for (key, word) in of_words.iter().zip(text.as_chunks::<8>().0) {
            sum = sum.wrapping_add(product(key, u64::from_le_bytes(*word)));
        }
        u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
    } else {
        text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    mixed((sum.wrapping_add(product(of_last, last)) >> 64) as u64)
}

/// A bijection that lets high bits of the sum count in low bits of the hash, and low ones in high ones.
#[inline]
fn mixed(sum: u64) -> u64 {
    let product = (sum ^ sum >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 29
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hash_of(text: impl AsRef<str>) -> u64 {
        HashTokens::default().hash_one(text.as_ref())
    }

    #[test]
    fn owned_and_borrowed_texts_hash_alike() {
        assert_eq!(HashTokens::default().hash_one(Box::<str>::from("log")), hash_of("log"));
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let mut hashes = HashSet::new();
        let mut texts = 0;
        for length in (0..40).chain([100, Pattern::MAX_BYTES]) {
            let zeros = "\0".repeat(length);
            assert!(hashes.insert(hash_of(&zeros)), "{length} zeros");
            for place in 0..length {
                let mut text = zeros.clone();
                text.replace_range(place..=place, "\u{1}");
                assert!(hashes.insert(hash_of(&text)), "byte {place} of {length}");
                texts += 1;
            }
        }
        assert_eq!(hashes.len(), texts + 42);
    }

    #[test]
    fn tokens_spread_over_any_bits_of_the_hash() {
        // A table takes the lowest bits as the place and the highest seven as the mark.
        for shift in [0, 8, 32, 57] {
            let mut places = [0_u32; 128];
            (0..128_000).for_each(|number| places[(hash_of(format!("user-{number}")) >> shift) as usize % 128] += 1);
            assert!(places.iter().all(|count| (800..1200).contains(count)), "{shift}: {places:?}");
        }
    }

    #[test]
    fn keys_are_as_many_as_words() {
        let distinct: HashSet<_> = KEYS.iter().collect();
        assert_eq!(distinct.len(), 3 + 128);
    }
}

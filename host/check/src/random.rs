//! Pseudorandom numbers, determined by a seed on every machine.

/// SplitMix64.
pub(super) struct Random(u64);

impl Random {
    /// The numbers of a seed for one purpose; each purpose gets its own.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random(seed ^ purpose.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(len);
        bytes
    }

    /// Text of about `len` bytes: mostly plain, with all kinds of UTF-8 in between.
    pub(super) fn text(&mut self, len: usize) -> String {
        let mut text = String::with_capacity(len + 4);
        while text.len() < len {
            let random = self.next();
            let code = if random & 3 == 0 { random >> 32 & 0x1f_ffff } else { random >> 32 & 0x7f };
            text.extend(char::from_u32(code as u32));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_numbers_and_a_purpose_parts_them() {
        let three = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(three(1, "a"), three(1, "a"));
        assert_ne!(three(1, "a"), three(2, "a"));
        assert_ne!(three(1, "a"), three(1, "b"));
    }
}

//! What tells one content from another.

/// The hash of some bytes, and how many they are.
///
/// The hash is FNV-1a with 64 bits: it is the same after every restart and in every build, and nobody gains by a
/// collision, since who writes the file may write what they like anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) length: usize,
    pub(crate) hash: u64,
}

impl Fingerprint {
    /// How many bytes of a file's beginning tell it from others. While the file is shorter, it is all that there is.
    pub(crate) const HEAD: usize = 1024;

    /// How many bytes before the position tell that they are still what was read.
    pub(crate) const BEFORE: usize = 64;

    /// Of no bytes: fits everything.
    pub(crate) const NONE: Fingerprint = Fingerprint { length: 0, hash: hash(&[]) };

    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Fingerprint { length: bytes.len(), hash: hash(bytes) }
    }

    /// Whether `bytes` begin with what this is of.
    pub(crate) fn fits(&self, bytes: &[u8]) -> bool {
        bytes.get(..self.length).is_some_and(|bytes| hash(bytes) == self.hash)
    }
}

const fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one_for_ever() {
        for (bytes, expected) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(Fingerprint::of(bytes.as_bytes()), Fingerprint { length: bytes.len(), hash: expected });
        }
    }

    #[test]
    fn a_file_that_has_grown_fits_and_another_one_does_not() {
        let of = Fingerprint::of(b"one\n");
        assert!(of.fits(b"one\n") && of.fits(b"one\ntwo\n"));
        assert!(!of.fits(b"one") && !of.fits(b"two\none\n"));
        assert!(Fingerprint::NONE.fits(b"") && Fingerprint::NONE.fits(b"all"));
    }
}

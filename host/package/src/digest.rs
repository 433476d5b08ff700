//! SHA-256 of bytes as they are read.

use crate::regular;
use std::io::{self, Read};
use std::path::Path;

use hookrail_model::package::Digest;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of these bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// The SHA-256 of a file.
///
/// # Errors
/// If the file cannot be read.
pub fn digest_of_file(file: impl AsRef<Path>) -> io::Result<Digest> {
    let mut bytes = Hashing::new(regular::open(file)?);
    io::copy(&mut bytes, &mut io::sink())?;
    Ok(bytes.digest())
}

/// A reader that hashes and counts what is read through it.
pub struct Hashing<R> {
    inner: R,
    hasher: Sha256,
    /// The number of bytes read.
    pub len: u64,
    /// Why reading failed, if it did: the caller may report the failure as one of its own.
    pub(super) failed: Option<String>,
}

impl<R> Hashing<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Hashing { inner, hasher: Sha256::new(), len: 0, failed: None }
    }

    /// The digest of everything that was read.
    pub fn digest(self) -> Digest {
        Digest::new(self.hasher.finalize().into())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).inspect_err(|error| self.failed = Some(error.to_string()))?;
        self.hasher.update(&buffer[..count]);
        self.len += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b"").to_string(), empty);
    }
}

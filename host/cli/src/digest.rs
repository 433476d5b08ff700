//! Whether two files have the same content.

use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::Path;

/// A number that differs if the content of two files differs. It tells builds apart; it is not secure against
/// deliberate collisions.
pub(crate) fn of(file: &Path) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&std::fs::read(file)?);
    Ok(hasher.finish())
}

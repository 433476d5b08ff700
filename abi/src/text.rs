//! Text that crosses the boundary.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use abi_stable::StableAbi;

use crate::Bytes;

/// Growable UTF-8 text on the process's `malloc`.
///
/// # Invariants
/// The bytes are UTF-8. C code that writes them must keep them so, and must keep the length correct.
#[repr(transparent)]
#[derive(StableAbi, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Bytes);

impl Text {
    /// Empty text; allocates nothing.
    pub const fn new() -> Self {
        Text(Bytes::new())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // SAFETY: by the type invariant the bytes are UTF-8.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// How many bytes fit before the memory must grow.
    pub const fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Appends a copy of `text`.
    pub fn push_str(&mut self, text: &str) {
        // INVARIANT: UTF-8 after UTF-8 is UTF-8.
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Replaces the content, reusing the allocated memory.
    pub fn set(&mut self, text: &str) {
        self.0.set(text.as_bytes());
    }

    /// Empties the text, keeping its allocated memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Copies: the argument's memory may belong to another allocator.
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(Bytes::from(text))
    }
}

/// Copies, as from `&str`.
impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::from(&*text)
    }
}

/// Copies, as from `&str`.
impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Text::from(&**text)
    }
}

/// Copies, as from `&str`.
impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Text::from(&*text)
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer).map(Text::from)
    }
}

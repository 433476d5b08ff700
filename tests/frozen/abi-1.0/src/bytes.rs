//! Bytes that cross the boundary.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use abi_stable::StableAbi;

use crate::List;

/// Growable bytes on the process's `malloc`; a `List<u8>` that serialises as bytes.
#[repr(transparent)]
#[derive(StableAbi, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(List<u8>);

impl Bytes {
    /// No bytes; allocates nothing.
    pub const fn new() -> Self {
        Bytes(List::new())
    }

    /// How many bytes fit before the memory must grow.
    pub const fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Replaces the content, reusing the allocated memory.
    pub fn set(&mut self, bytes: &[u8]) {
        self.0.clear();
        self.0.extend_from_slice(bytes);
    }

    /// The content as text, or a note of its length if it is not UTF-8.
    pub fn to_display(&self) -> Cow<'_, str> {
        match std::str::from_utf8(self) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(format!("<{} bytes>", self.len())),
        }
    }
}

impl Deref for Bytes {
    type Target = List<u8>;
    fn deref(&self) -> &List<u8> {
        &self.0
    }
}

impl DerefMut for Bytes {
    fn deref_mut(&mut self) -> &mut List<u8> {
        &mut self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Copies: the argument's memory may belong to another allocator.
impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        let mut list = List::new();
        list.extend_from_slice(bytes);
        Bytes(list)
    }
}

/// Copies, as from a slice.
impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Bytes::from(&bytes[..])
    }
}

/// Copies, as from a slice.
impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(&*bytes)
    }
}

/// Copies, as from a slice.
impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Bytes::from(text.as_bytes())
    }
}

/// Copies, as from a slice.
impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Bytes::from(&*text)
    }
}

impl PartialEq<[u8]> for Bytes {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<str> for Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

impl PartialEq<&str> for Bytes {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}

impl serde::Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(bytes.into())
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                let mut bytes = Bytes::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

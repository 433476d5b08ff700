//! Bytes, and a state, as they cross.

use hookrail_abi::boundary::SavedState;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// What an instance hands over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    schema: String,
    version: u32,
    bytes: Bytes,
}

impl From<&SavedState> for State {
    fn from(state: &SavedState) -> Self {
        State { schema: state.schema.as_str().into(), version: state.version, bytes: Bytes(state.bytes.to_vec()) }
    }
}

impl From<State> for SavedState {
    fn from(state: State) -> Self {
        let mut saved = SavedState::none();
        saved.schema.push_str(&state.schema);
        saved.version = state.version;
        saved.bytes.extend_from_slice(&state.bytes.0);
        saved
    }
}

/// Bytes, which MessagePack has a form for; a `Vec` would cross as a list of numbers.
#[derive(Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Bytes, A::Error> {
                Err(A::Error::custom("a list where bytes are expected"))
            }
        }
        deserializer.deserialize_byte_buf(Read)
    }
}

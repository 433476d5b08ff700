//! Message ids: UUIDs of version 7, unique without coordination.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use abi_stable::StableAbi;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// The id of a message: a UUID of version 7 (RFC 9562), so that ids sort by time.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// All zeros: no id yet.
    pub const NIL: MessageId = MessageId([0; 16]);

    /// The id made of these 16 bytes, in the order in which an id is written.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        MessageId(bytes)
    }

    /// The id's 16 bytes, in the order in which an id is written.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// A fresh id and the timestamp in it, in nanoseconds since the Unix epoch.
    pub fn now() -> (Self, u64) {
        let now = now();
        (MessageId::at(now), now)
    }

    /// A fresh id for a time in nanoseconds since the Unix epoch.
    ///
    /// Its 74 random bits come from a counter through a mixing function, seeded once from the system's randomness: ids
    /// of one process never collide, and a call reads nothing but a clock.
    pub fn at(nanoseconds: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        static SEEDS: OnceLock<[u64; 2]> = OnceLock::new();
        let seeds = SEEDS.get_or_init(|| [RandomState::new().hash_one(0), RandomState::new().hash_one(1)]);
        // Relaxed: only distinctness matters.
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&mix(seeds[0].wrapping_add(count)).to_be_bytes());
        random[8..].copy_from_slice(&mix(seeds[1] ^ count).to_be_bytes()[..2]);
        MessageId(Builder::from_unix_timestamp_millis(nanoseconds / 1_000_000, &random).into_uuid().into_bytes())
    }
}

/// The current time, in nanoseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The finaliser of SplitMix64: a bijection, so distinct counts stay distinct.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a message id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidMessageId(String);

impl fmt::Display for InvalidMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no message id: {}", self.0)
    }
}

impl std::error::Error for InvalidMessageId {}

impl FromStr for MessageId {
    type Err = InvalidMessageId;

    fn from_str(text: &str) -> Result<Self, InvalidMessageId> {
        let id = Uuid::parse_str(text).map_err(|error| InvalidMessageId(error.to_string()))?;
        Ok(MessageId(id.into_bytes()))
    }
}

impl Serialize for MessageId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            let bytes = crate::Bytes::deserialize(deserializer)?;
            let id = bytes.as_slice().try_into();
            id.map(MessageId).map_err(|_| D::Error::invalid_length(bytes.len(), &"16 bytes"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_distinct_and_carry_their_time() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| MessageId::at(1_700_000_000_123_456_789)).collect();
        assert_eq!(ids.len(), 10_000);
        let id = Uuid::from_bytes(ids.iter().next().unwrap().0);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(u64::from_be_bytes(id.as_bytes()[..8].try_into().unwrap()) >> 16, 1_700_000_000_123);
    }
}

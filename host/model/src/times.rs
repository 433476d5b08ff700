//! How long an upgrade took.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::constructors;

/// How long the phases of an upgrade took. The old generation serves throughout; the new one starts serving during the
/// last phase. Serialised in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpgradeTimes {
    /// Copying the file and reading its note.
    #[serde(rename = "copy_ns", with = "nanoseconds")]
    pub copy: Duration,
    /// Opening the copy, with its constructors, checking it, and handing it the host's table.
    #[serde(rename = "open_ns", with = "nanoseconds")]
    pub open: Duration,
    /// Saving the old instances, and creating and starting the new ones.
    #[serde(rename = "create_ns", with = "nanoseconds")]
    pub create: Duration,
    /// The transaction: validating it, and publishing it on every point.
    #[serde(rename = "swap_ns", with = "nanoseconds")]
    pub swap: Duration,
}

constructors! {
    /// The times of the phases, in their order.
    UpgradeTimes(copy: Duration, open: Duration, create: Duration, swap: Duration)
}

/// For a field: `#[serde(with = "nanoseconds")]`.
pub(crate) mod nanoseconds {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.as_nanos() as u64)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}

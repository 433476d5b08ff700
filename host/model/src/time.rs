//! Times as JSON has them: RFC 3339 with nine digits, in UTC. A number of nanoseconds is more than JSON's readers hold.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serializer, de};

/// For a field: `#[serde(with = "crate::time")]`.
pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_nanos(*time))
}

/// As [`serialize`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    humantime::parse_rfc3339(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

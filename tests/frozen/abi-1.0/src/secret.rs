//! Text that must not be shown.

use std::borrow::Cow;
use std::fmt;

use abi_stable::StableAbi;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::Text;

/// What is shown instead of a secret.
const MASK: &str = "***";

/// Text that shows as `***` wherever people read it: `Debug`, `Display`, JSON.
///
/// In MessagePack, which only a worker of the same host reads, it is in the clear.
#[repr(transparent)]
#[derive(StableAbi, Clone, Default, PartialEq, Eq)]
pub struct Secret(Text);

impl Secret {
    /// The text itself. The conspicuous name is deliberate: a call should stand out in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Copies: the argument's memory may belong to another allocator.
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret(Text::from(text))
    }
}

/// Copies, as from `&str`.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(Text::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = if serializer.is_human_readable() { MASK } else { self.expose() };
        serializer.serialize_str(shown)
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Secret)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_to_a_worker_and_to_nobody_else() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        let packed = rmp_serde::to_vec_named(&secret).unwrap();
        let worker: Secret = rmp_serde::from_slice(&packed).unwrap();
        assert_eq!(worker.expose(), "hunter2");
    }
}

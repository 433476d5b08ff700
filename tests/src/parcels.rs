//! Points of a program whose payload can leave its process: shared by tests and a test plugin.

use hookrail_abi::{List, Payload, Secret, Text, points};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The payload.
#[repr(C)]
#[derive(Payload, Clone, Debug, Serialize, Deserialize)]
pub struct Parcel {
    /// What the plugin is to do.
    pub wish: Text,
    /// What nobody is to see.
    pub key: Secret,
    /// Each callback adds a line. One that says `unwritable` cannot be encoded, one that says `unreadable` not decoded:
    /// it panics there.
    #[serde(serialize_with = "write_lines", deserialize_with = "read_lines")]
    pub lines: List<Text>,
}

fn write_lines<S: Serializer>(lines: &List<Text>, to: S) -> Result<S::Ok, S::Error> {
    assert!(lines.iter().all(|line| line.as_str() != "unwritable"));
    lines.serialize(to)
}

fn read_lines<'de, D: Deserializer<'de>>(from: D) -> Result<List<Text>, D::Error> {
    let lines = List::<Text>::deserialize(from)?;
    assert!(lines.iter().all(|line| line.as_str() != "unreadable"));
    Ok(lines)
}

impl Parcel {
    /// With a wish, and nothing else.
    pub fn new(wish: &str) -> Self {
        Parcel { wish: wish.into(), key: Secret::from("key"), lines: List::new() }
    }
}

points! {
    /// Callbacks edit, and may deny.
    // SAFETY: a parcel owns all it holds.
    pub unsafe ParcelPacked: "parcel.packed", 1, Fold<Parcel> { const DENIABLE: bool = true; }

    /// Callbacks only read.
    // SAFETY: a parcel owns all it holds.
    pub unsafe ParcelSent: "parcel.sent", 1, Notify<Parcel> {}
}

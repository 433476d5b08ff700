//! Points of a program whose payload can leave its process: shared by tests and a test plugin.

use hookrail_abi::{List, Payload, Secret, Text, points};
use serde::{Deserialize, Serialize};

/// The payload.
#[repr(C)]
#[derive(Payload, Clone, Debug, Serialize, Deserialize)]
pub struct Parcel {
    /// What the plugin is to do.
    pub wish: Text,
    /// What nobody is to see.
    pub key: Secret,
    /// Each callback adds a line.
    pub lines: List<Text>,
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

//! What an instance asks of its host about the bus: the ends of it, which then have a socket each, as endpoints have.

use serde::{Deserialize, Serialize};

/// An end that is to be opened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum BusAsk {
    /// One that publishes.
    Publish,
    /// One that receives: as `BusSpec` says.
    Subscribe {
        policy: u32,
        name: String,
        key: String,
        topics: Vec<String>,
        /// The keys and the values.
        headers: Vec<(String, String)>,
        capacity: u64,
    },
}

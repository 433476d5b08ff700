//! What an instance asks of its host about the bus: the ends of it, which then have a socket each, as endpoints have.

use hookrail_engine::BusWish;
use serde::{Deserialize, Serialize};

/// An end that is to be opened.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum BusAsk {
    /// One that publishes.
    Publish,
    /// One that receives.
    Subscribe(BusWish),
}

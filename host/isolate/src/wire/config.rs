//! What an instance asks of its host about its own configuration.

use serde::{Deserialize, Serialize};

/// What is done to the configuration of an instance.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ConfigAsk {
    /// What is kept, and its revision.
    Stored,
    /// That it is replaced, if the revision is still that one.
    Write { json: String, if_revision: Option<u64> },
}

/// What came of it: what is kept, or nothing after it was written, and the revision.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConfigAnswer {
    pub(crate) json: String,
    pub(crate) revision: u64,
}

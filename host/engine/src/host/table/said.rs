//! What a plugin says of its health.

use std::time::Instant;

use hookrail_model::health::Health;

/// What a plugin says of its health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::host) struct Said {
    pub(in crate::host) health: Health,
    /// Why it is not good.
    pub(in crate::host) reason: Option<String>,
}

/// A question that was not answered yet.
pub(in crate::host) struct Asking {
    pub(super) since: Instant,
    /// Whether it has been reported as taking too long.
    pub(super) is_told: bool,
}

//! When a unit that has ended is started again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::setters;
use crate::units::fields;

/// When a unit that has ended, without being told to, is started again.
///
/// The first time it is at once. From the second time in a row on, it waits: `first`, then twice that, and so on, but
/// not longer than `longest`, and each time a random part of up to one half less, so that many that have ended together
/// do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Restarts {
    /// The first wait that there is.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub first: Duration,
    /// The longest.
    #[serde(deserialize_with = "fields::duration", serialize_with = "fields::time_text")]
    pub longest: Duration,
    /// After how many ends in a row it has failed, and is not started again. With 0 or 1 it never is.
    pub limit: u32,
}

impl Default for Restarts {
    fn default() -> Self {
        Restarts { first: Duration::from_millis(200), longest: Duration::from_secs(30), limit: 8 }
    }
}

setters!(Restarts {
    with_first(first: Duration),
    with_longest(longest: Duration),
    with_limit(limit: u32),
});

//! Whether a plugin does its work.

use serde::{Deserialize, Serialize};

use crate::named::display_name;

/// Whether a plugin does its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Health {
    /// Some of its callbacks are not called or do not return, it exceeds its memory limit, or it says so of itself or does
    /// not say how it is.
    Degraded,
    /// It cannot be loaded, its files are not those that were installed, or it says of itself that it does not work.
    Failed,
    /// Nothing is known to be wrong.
    #[default]
    Good,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl Health {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Degraded => "degraded",
            Health::Failed => "failed",
            Health::Good => "good",
            Health::Unknown => "unknown",
        }
    }
}

display_name!(Health);

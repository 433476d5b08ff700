//! Whether a plugin does what it is there for.

use serde::{Deserialize, Serialize};

/// Whether a plugin does what it is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Some of its callbacks are not called, or do not come back, or it holds more memory than it may.
    Degraded,
    /// It cannot be loaded, or is not what was installed.
    Failed,
    /// Nothing is known against it.
    #[default]
    Good,
}

impl Health {
    /// The word people read.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Degraded => "degraded",
            Health::Failed => "failed",
            Health::Good => "good",
        }
    }
}

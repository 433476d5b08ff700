//! Who denied a dispatch, and why.

use std::fmt;

/// Who denied a dispatch, and why. Its `Display` form is a sentence for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The callback, as `instance/callback`; `None` if the point denies what no callback allows.
    pub by: Option<String>,
    /// The code, 24 bits.
    pub code: u32,
    /// The reason, if it is still known. It comes from a plugin, so it may contain anything.
    pub reason: Option<String>,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some(by) => write!(f, "denied by {by} with code {}", self.code)?,
            None => write!(f, "denied with code {}: no callback allowed it", self.code)?,
        }
        match &self.reason {
            Some(reason) => write!(f, ": {}", reason.escape_debug()),
            None => Ok(()),
        }
    }
}

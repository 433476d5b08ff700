//! Why nothing could be checked.

use std::io;

/// Why nothing could be checked. A plugin's misbehaviour is not an error but the result of a check.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error of the host, about the library or the configuration, or of the system.
    #[error(transparent)]
    Host(#[from] hookrail::Error),
    /// A pattern is not valid, or matches no check.
    #[error("the pattern `{pattern}` {why}")]
    NoCheck {
        /// The pattern.
        pattern: String,
        /// Why it selects nothing.
        why: String,
    },
}

impl Error {
    /// The system refuses something that checking needs.
    pub(crate) fn system(what: impl Into<String>, cause: io::Error) -> Self {
        hookrail::Error::system(what, cause).into()
    }
}

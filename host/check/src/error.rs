//! Why nothing could be checked.

use std::io;

/// Why nothing could be checked. A plugin's misbehaviour is not an error but the result of a check.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error of the host, about the library or the configuration.
    #[error(transparent)]
    Host(#[from] hookrail::Error),
    /// A file cannot be read.
    #[error("cannot read {file}: {cause}")]
    Input {
        /// The file.
        file: String,
        /// The system's error.
        cause: io::Error,
    },
    /// A pattern is not valid, or matches no check.
    #[error("the pattern `{pattern}` {why}")]
    NoCheck {
        /// The pattern.
        pattern: String,
        /// Why it selects nothing.
        why: String,
    },
    /// The system refuses something that checking needs.
    #[error("cannot {what}: {cause}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// The system's error.
        cause: io::Error,
    },
}

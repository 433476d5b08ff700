//! Why nothing could be checked, or not what was asked for.

use std::io;

/// Why nothing could be checked. What a plugin does wrong is no error: it is what a check found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host says so: of the library, or of the configuration.
    #[error(transparent)]
    Host(#[from] hookrail::Error),
    /// A file cannot be read.
    #[error("cannot read {file}: {source}")]
    Input {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// A pattern is none, or names no check.
    #[error("the pattern `{pattern}` {why}")]
    NoCheck {
        /// The pattern.
        pattern: String,
        /// Why it chooses nothing.
        why: String,
    },
    /// The system refuses what it takes to check.
    #[error("cannot {what}: {source}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

//! What can go wrong with units.

use std::borrow::Cow;
use std::io;

use hookrail_model::constructors;
use hookrail_model::error::Error as HostError;

/// An error of a unit, or of what it stands on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another unit has that name, in this host or another one.
    #[error("a unit named `{name}` is there already{}", of(.by))]
    #[non_exhaustive]
    Held {
        /// The name.
        name: String,
        /// The process that holds it, as that says of itself. It may have ended, if what it has started has not.
        by: Option<u32>,
    },
    /// A system call failed.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A unit cannot have that name.
    #[error("the name `{}` is no name of a unit", .0.escape_debug())]
    InvalidName(String),
}

constructors! {
    Error:
    held = Held(name: impl Into<String>, by: Option<u32>),
}

impl Error {
    /// A system call failed; `what` is what it was for.
    pub fn system(what: impl Into<String>, cause: io::Error) -> Self {
        Error::Host(HostError::system(what, cause))
    }

    /// The stable code, `HR` and four digits.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Held { .. } => "HR0901",
            Error::Host(error) => error.code(),
            Error::InvalidName(_) => "HR0902",
        }
    }

    /// Whether the same may succeed in a moment, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        hookrail_model::retryable::is_retryable(self.code())
    }

    /// The next step for the person who reads the error.
    pub fn fix(&self) -> Cow<'static, str> {
        match self {
            Error::Held { .. } => "give it another name, or end the host that has it; `ps` shows that process".into(),
            Error::Host(error) => error.fix(),
            Error::InvalidName(_) => {
                "a name has up to 100 letters, digits, `-`, `_`, `.` and `:`, and begins with a letter or a digit"
                    .into()
            }
        }
    }
}

fn of(process: &Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(", held by process {process}"))
}

//! What can go wrong with commands, and with a control socket on both of its ends.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use hookrail_model::error::{ApiMisuse, Error as HostError};
use hookrail_model::trace::Missing;
use hookrail_model::wire::Problem;
use hookrail_package::{self as package, PackageError};
use hookrail_store::{self as store, StoreError};

/// What can go wrong with a command, and with all that it is carried out on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What can go wrong in a host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Something about a command, or about a control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A package is not what it has to be.
    #[error("{package}: {why}")]
    PackageRejected {
        /// The file.
        package: String,
        /// What is wrong with it.
        why: PackageError,
    },
    /// Something about what is installed.
    #[error("{plugin}: {why}")]
    Store {
        /// The plugin, or the file of the store.
        plugin: String,
        /// What is wrong.
        why: StoreError,
    },
}

impl Error {
    /// The system refused.
    pub(crate) fn system(what: String, source: io::Error) -> Self {
        Error::Host(HostError::System { what, source })
    }

    /// The stable code, `HR` and four digits.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Host(error) => error.code(),
            Error::Control(error) => error.code_and_fix().0,
            Error::PackageRejected { why, .. } => why.code_and_fix().0,
            Error::Store { why, .. } => why.code_and_fix().0,
        }
    }

    /// The next step for whoever reads the error.
    pub fn fix(&self) -> Cow<'static, str> {
        match self {
            Error::Host(error) => error.fix(),
            Error::Control(error) => error.code_and_fix().1.into(),
            Error::PackageRejected { why, .. } => why.code_and_fix().1.into(),
            Error::Store { plugin, why } => why.fix(plugin).into(),
        }
    }

    /// As it crosses the socket.
    pub fn problem(&self) -> Problem {
        Problem { code: self.code().into(), message: self.to_string(), fix: self.fix().into() }
    }
}

impl From<package::Error> for Error {
    fn from(error: package::Error) -> Self {
        store::Error::from(error).into()
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        error.into_case(
            Error::Host,
            |package, why| Error::PackageRejected { package, why },
            |plugin, why| Error::Store { plugin, why },
        )
    }
}

impl From<ApiMisuse> for Error {
    fn from(misuse: ApiMisuse) -> Self {
        Error::Host(misuse.into())
    }
}

/// An error about a control socket, or about what was asked over it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// What came over the socket is no request.
    #[error("this is no request: {0}")]
    BadRequest(String),
    /// Somebody listens there already.
    #[error("somebody listens on {} already", .0.display())]
    InUse(PathBuf),
    /// A line is longer than allowed.
    #[error("the line is longer than {limit} bytes")]
    LineTooLong {
        /// How long it may be.
        limit: usize,
    },
    /// It is about what a host does, and none runs.
    #[error("no host is running that could do that")]
    NeedsHost,
    /// A condition is about a field that no dispatch has.
    #[error("{0}")]
    NoField(Missing),
    /// Another user is at the other end.
    #[error("user {user} may not manage a host of user {owner}")]
    NotAllowed {
        /// Who asks.
        user: u32,
        /// Whom the host belongs to.
        owner: u32,
    },
    /// The system has no room for so long a path of a socket.
    #[error("the path {} has {} bytes, the system allows {limit} for a socket", .path.display(), .path.as_os_str().len())]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// How many bytes it may have.
        limit: usize,
    },
    /// A file was named relative to a directory that the host does not know.
    #[error("the path {} is relative", .0.display())]
    RelativePath(PathBuf),
    /// As many connections are open as are allowed.
    #[error("{limit} connections are open already")]
    TooManyConnections {
        /// How many may be.
        limit: usize,
    },
}

impl ControlError {
    /// The stable code, and the next step for whoever reads the error.
    pub fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            ControlError::BadRequest(_) => ("HR0701", "docs/guide/operating.md lists the commands and their fields"),
            ControlError::InUse(_) => ("HR0702", "choose another path, or end the program that listens there"),
            ControlError::LineTooLong { .. } => ("HR0703", "send one JSON object per line"),
            ControlError::NeedsHost => ("HR0711", "`hookrail run` starts one"),
            ControlError::NoField(_) => {
                ("HR0712", "name one that they have; `headers.KEY` is a header, and `a.b` the field `b` in `a`")
            }
            ControlError::NotAllowed { .. } => ("HR0705", "ask as the user that the program runs as, or as root"),
            ControlError::PathTooLong { .. } => ("HR0706", "choose a shorter one"),
            ControlError::RelativePath(_) => ("HR0707", "give the whole path, from / on"),
            ControlError::TooManyConnections { .. } => ("HR0708", "close some, and try again"),
        }
    }
}

/// Why a call over a control socket has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The host said no.
    #[error("{0}")]
    Refused(Problem),
    /// The connection failed, or was closed.
    #[error("cannot talk to the host at {}: {source}", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What came back is no answer to what was asked.
    #[error("the host at {} answers in another way than expected: {why}", socket.display())]
    Unreadable {
        /// The socket.
        socket: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl CallError {
    /// The stable code: that of the host's error, or one of our own.
    pub fn code(&self) -> &str {
        match self {
            CallError::Refused(problem) => &problem.code,
            CallError::Unreachable { .. } => "HR0709",
            CallError::Unreadable { .. } => "HR0710",
        }
    }

    /// The next step for whoever reads the error.
    pub fn fix(&self) -> &str {
        match self {
            CallError::Refused(problem) => &problem.fix,
            CallError::Unreachable { .. } => "see whether the program still runs, and whose it is",
            CallError::Unreadable { .. } => "use the version of `hookrail` that the host has",
        }
    }
}

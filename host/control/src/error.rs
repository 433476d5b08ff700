//! What can go wrong with commands, and at either end of a control socket.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use hookrail_model::error::{ApiMisuse, Error as HostError};
use hookrail_model::trace::MissingField;
use hookrail_model::wire::Problem;
use hookrail_package::{self as package, PackageError};
use hookrail_store::{self as store, StoreError};

/// An error of a command, or of what it is executed on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// An error of a command or a control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A package is not valid.
    #[error("{package}: {why}")]
    #[non_exhaustive]
    PackageRejected {
        /// The file.
        package: String,
        /// What is wrong with it.
        why: PackageError,
    },
    /// An error of the store.
    #[error("{plugin}: {why}")]
    #[non_exhaustive]
    Store {
        /// The plugin, or the file in the store.
        plugin: String,
        /// What is wrong.
        why: StoreError,
    },
}

impl Error {
    /// A system call failed.
    pub(crate) fn system(what: String, cause: io::Error) -> Self {
        Error::Host(HostError::system(what, cause))
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

    /// Whether the same may succeed in a moment, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        hookrail_model::retryable::is_retryable(self.code())
    }

    /// The next step for the person who reads the error.
    pub fn fix(&self) -> Cow<'static, str> {
        match self {
            Error::Host(error) => error.fix(),
            Error::Control(error) => error.code_and_fix().1.into(),
            Error::PackageRejected { why, .. } => why.code_and_fix().1.into(),
            Error::Store { plugin, why } => why.fix(plugin).into(),
        }
    }

    /// The error as it crosses the socket.
    pub fn problem(&self) -> Problem {
        Problem::new(self.code(), self.to_string(), self.fix())
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

/// An error of a control socket, or of a request over it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A line that came over the socket is not a request.
    #[error("this is not a request: {0}")]
    BadRequest(String),
    /// Another process already listens there.
    #[error("another program already listens on {}", .0.display())]
    InUse(PathBuf),
    /// A line is longer than allowed.
    #[error("the line is longer than {limit} bytes")]
    #[non_exhaustive]
    LineTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The command is about a running host, and none runs.
    #[error("no host is running, and only a host can do that")]
    NeedsHost,
    /// A filter names a field that no dispatch has.
    #[error("{0}")]
    UnknownField(MissingField),
    /// There is no such report of a crash.
    #[error("there is no report `{}`", .0.escape_debug())]
    NoCrash(String),
    /// The peer is another user.
    #[error("user {user} may not manage a host of user {owner}")]
    #[non_exhaustive]
    NotAllowed {
        /// The peer's user id.
        user: u32,
        /// The user id of the host's owner.
        owner: u32,
    },
    /// The name is longer than the system allows for a socket.
    #[error("the name at the end of {} is too long: {limit} bytes are allowed for a socket", .path.display())]
    #[non_exhaustive]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A file was named relative to a directory that the host does not know.
    #[error("the path {} is relative", .0.display())]
    RelativePath(PathBuf),
    /// The limit of open connections is reached.
    #[error("{limit} connections are already open")]
    #[non_exhaustive]
    TooManyConnections {
        /// The limit.
        limit: usize,
    },
}

impl ControlError {
    /// The stable code, and the next step for the person who reads the error.
    pub fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            ControlError::BadRequest(_) => ("HR0701", "docs/guide/operating.md lists the commands and their fields"),
            ControlError::InUse(_) => ("HR0702", "choose another path, or end the program that listens there"),
            ControlError::LineTooLong { .. } => ("HR0703", "send one JSON object per line"),
            ControlError::NoCrash(_) => ("HR0713", "`hookrail crash list` has those that are kept"),
            ControlError::NeedsHost => ("HR0711", "`hookrail run` starts one"),
            ControlError::UnknownField(_) => {
                ("HR0712", "name one that they have; `headers.KEY` is a header, and `a.b` the field `b` in `a`")
            }
            ControlError::NotAllowed { .. } => ("HR0705", "ask as the user that the program runs as, or as root"),
            ControlError::PathTooLong { .. } => ("HR0706", "choose a shorter one"),
            ControlError::RelativePath(_) => ("HR0707", "give an absolute path"),
            ControlError::TooManyConnections { .. } => ("HR0708", "close some, and try again"),
        }
    }
}

/// Why a call over a control socket got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The host refused.
    #[error("{0}")]
    Refused(Problem),
    /// The host is stopped, by Ctrl-Z, a debugger or SIGSTOP, and answers nothing.
    #[error("the host does not answer: its process {pid} is stopped")]
    #[non_exhaustive]
    Stopped {
        /// Its PID.
        pid: u32,
    },
    /// The connection failed, or was closed.
    #[error("cannot talk to the host at {}: {cause}", socket.display())]
    #[non_exhaustive]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why it failed.
        cause: io::Error,
    },
    /// What came back is not an answer to the request.
    #[error("the host at {} sent an unexpected answer: {why}", socket.display())]
    #[non_exhaustive]
    Unreadable {
        /// The socket.
        socket: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl CallError {
    /// The stable code: that of the host's error, or one of this crate.
    pub fn code(&self) -> &str {
        match self {
            CallError::Refused(problem) => &problem.code,
            CallError::Stopped { .. } | CallError::Unreachable { .. } => "HR0709",
            CallError::Unreadable { .. } => "HR0710",
        }
    }

    /// Whether the same may succeed in a moment, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        hookrail_model::retryable::is_retryable(self.code())
    }

    /// The next step for the person who reads the error.
    pub fn fix(&self) -> Cow<'_, str> {
        match self {
            CallError::Refused(problem) => problem.fix.as_str().into(),
            CallError::Stopped { pid } => format!("`kill -CONT {pid}` lets it go on").into(),
            CallError::Unreachable { .. } => "check whether the program still runs, and as which user".into(),
            CallError::Unreadable { .. } => "use the version of `hookrail` that the host has".into(),
        }
    }
}

//! The errors of packages.

use std::borrow::Cow;
use std::io;

use hookrail_model::constructors;
use hookrail_model::error::Error as HostError;
use hookrail_model::package::Digest;

/// An error of a package, or of the home whose keys it is trusted by.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of a library or the system.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A package is not valid.
    #[error("{package}: {why}")]
    #[non_exhaustive]
    PackageRejected {
        /// The file.
        package: String,
        /// What is wrong with it.
        why: PackageError,
    },
}

impl Error {
    /// [`PackageRejected`](Self::PackageRejected)
    pub fn rejected(package: impl Into<String>, why: PackageError) -> Self {
        Error::PackageRejected { package: package.into(), why }
    }

    /// A system call failed.
    #[doc(hidden)]
    pub fn system(what: String, cause: io::Error) -> Self {
        Error::Host(HostError::system(what, cause))
    }

    /// Converts each case to that of another crate's error.
    #[doc(hidden)]
    pub fn into_case<E>(
        self,
        host: impl FnOnce(HostError) -> E,
        rejected: impl FnOnce(String, PackageError) -> E,
    ) -> E {
        match self {
            Error::Host(error) => host(error),
            Error::PackageRejected { package, why } => rejected(package, why),
        }
    }

    /// The stable code, `HR` and four digits.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Host(error) => error.code(),
            Error::PackageRejected { why, .. } => why.code_and_fix().0,
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
            Error::PackageRejected { why, .. } => why.code_and_fix().1.into(),
        }
    }
}

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The file is not a package: not a zip, a damaged one, or one with extra content.
    #[error("it is not a package: {0}")]
    Archive(String),
    /// A file of the host's own cannot be read.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Something in it differs from the metadata.
    #[error("{what} is {found}, its metadata says {declared}")]
    #[non_exhaustive]
    Differs {
        /// What differs.
        what: String,
        /// The value in the metadata.
        declared: String,
        /// The actual value.
        found: String,
    },
    /// Its files are not those that the metadata lists.
    #[error("its tar {0}")]
    Files(String),
    /// Another process is changing the home.
    #[error("{} is changing it right now", .by.map_or("another process".into(), |id| format!("the process {id}")))]
    #[non_exhaustive]
    HomeInUse {
        /// Its PID, if the system reports it.
        by: Option<u32>,
    },
    /// Other users could change which keys the host trusts.
    #[error("{0}, so nothing in it can be trusted")]
    HomeOpen(String),
    /// The key has the id of another key.
    #[error("this key has the id {id}, which is that of another key, of {name}")]
    #[non_exhaustive]
    FalseKey {
        /// The id.
        id: String,
        /// The owner of the key with that id.
        name: String,
    },
    /// It does not work here.
    #[error("it does not work here: {0}")]
    Incompatible(String),
    /// It contains something that no package may contain.
    #[error("its tar holds {path}: {why}")]
    #[non_exhaustive]
    Member {
        /// The path in the package, escaped.
        path: String,
        /// Why it is not allowed.
        why: String,
    },
    /// Its metadata is not valid.
    #[error("its metadata is invalid: {0}")]
    Metadata(String),
    /// The key has been revoked.
    #[error("the key {key} was revoked: {reason}")]
    #[non_exhaustive]
    Revoked {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// Its signature does not match.
    #[error("its signature is invalid: {0}")]
    Signature(String),
    /// It exceeds a size limit.
    #[error("{what} is larger than {limit}")]
    #[non_exhaustive]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: String,
    },
    /// No trusted key has signed it.
    #[error("the key {0} is not trusted")]
    UnknownKey(String),
    /// It has no signature.
    #[error("it is not signed: {0}")]
    Unsigned(String),
}

constructors! {
    PackageError:
    differs = Differs(what: impl Into<String>, declared: impl Into<String>, found: impl Into<String>),
    member = Member(path: impl Into<String>, why: impl Into<String>),
}

impl PackageError {
    /// The error for a SHA-256 that differs from the stated one.
    #[doc(hidden)]
    pub fn digest(what: impl Into<String>, declared: Digest, found: Digest) -> Self {
        PackageError::Differs {
            what: format!("the SHA-256 of {}", what.into()),
            declared: declared.to_string(),
            found: found.to_string(),
        }
    }

    /// The stable code, and the next step for the person who reads the error.
    #[doc(hidden)]
    pub fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            PackageError::Damaged(_) => ("HR0811", "restore a copy of it, or move it away: then no key is trusted"),
            PackageError::FalseKey { .. } => ("HR0815", "do not use it; ask its author for the right one"),
            PackageError::HomeInUse { .. } => ("HR0812", "wait until that is over, and repeat the command"),
            PackageError::HomeOpen(_) => (
                "HR0813",
                "let only the user that runs the host write to it: `chmod go-w` it, and `chown` it to that user",
            ),
            PackageError::Revoked { .. } => ("HR0814", "get a package that is signed by another key of its author"),
            PackageError::Archive(_) => {
                ("HR0801", "fetch it again; `hookrail pack` makes packages, docs/package.md says what they are")
            }
            PackageError::Differs { .. } => (
                "HR0802",
                "fetch it again, or install it again if it is installed; if it stays so, its author has to pack it again",
            ),
            PackageError::Files(_) => ("HR0803", "fetch it again; if it stays so, its author has to pack it again"),
            PackageError::Incompatible(_) => ("HR0804", "install a version of it that was made for this host"),
            PackageError::Member { .. } => ("HR0805", "do not use it; `hookrail pack` makes no such package"),
            PackageError::Metadata(_) => {
                ("HR0806", "docs/package.md describes each key; `hookrail pack` fills in what it can find out")
            }
            PackageError::Signature(_) => ("HR0807", "do not use it; fetch the package and its .minisig again"),
            PackageError::TooLarge { .. } => ("HR0808", "put large data elsewhere, and have the plugin fetch it"),
            PackageError::UnknownKey(_) => {
                ("HR0809", "if you trust its author: `hookrail trust add KEY`, with the key from their website")
            }
            PackageError::Unsigned(_) => (
                "HR0810",
                "fetch its .minisig too; a package of your own: `hookrail sign FILE`; just this file, without: `hookrail plugin allow`",
            ),
        }
    }
}

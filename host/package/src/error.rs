//! What can go wrong with packages.

use std::borrow::Cow;
use std::io;

use hookrail_model::error::Error as HostError;
use hookrail_model::package::Digest;

/// What can go wrong with packages, and with the home that they are trusted in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What can go wrong with a library, or with the system.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A package is not what it has to be.
    #[error("{package}: {why}")]
    PackageRejected {
        /// The file.
        package: String,
        /// What is wrong with it.
        why: PackageError,
    },
}

impl Error {
    /// The system refused.
    #[doc(hidden)]
    pub fn system(what: String, source: io::Error) -> Self {
        Error::Host(HostError::System { what, source })
    }

    /// Each case as that of another crate's error.
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

    /// The next step for whoever reads the error.
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
    /// The file is no package: no zip, a damaged one, or one with more to it.
    #[error("it is no package: {0}")]
    Archive(String),
    /// A file of the host's own cannot be read.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Something in it is not what the metadata says.
    #[error("{what} is {found}, its metadata says {said}")]
    Differs {
        /// What.
        what: String,
        /// What the metadata says.
        said: String,
        /// What it is.
        found: String,
    },
    /// It has other files in it than the metadata says.
    #[error("its tar {0}")]
    Files(String),
    /// Another process is changing what lies in the home.
    #[error("{} is changing it right now", .by.map_or("another process".into(), |id| format!("the process {id}")))]
    HomeInUse {
        /// Which, where the system tells.
        by: Option<u32>,
    },
    /// Others could change whom the host trusts.
    #[error("{0}, so nothing in it can be trusted")]
    HomeOpen(String),
    /// The key bears the number of another one.
    #[error("this key bears the number {id}, which is that of another key, of {name}")]
    FalseKey {
        /// The number.
        id: String,
        /// Whose key has it.
        name: String,
    },
    /// It does not work here.
    #[error("it does not work here: {0}")]
    Incompatible(String),
    /// Something lies in it that no package may hold.
    #[error("its tar holds {path}: {why}")]
    Member {
        /// Where it says it lies, escaped.
        path: String,
        /// Why that may not be.
        why: String,
    },
    /// What it says of itself makes no sense.
    #[error("its metadata is wrong: {0}")]
    Metadata(String),
    /// The key is trusted no more.
    #[error("the key {key} was revoked: {reason}")]
    Revoked {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// Its signature does not fit it.
    #[error("its signature is invalid: {0}")]
    Signature(String),
    /// It is larger than anything sensible.
    #[error("{what} is larger than {limit}")]
    TooLarge {
        /// What.
        what: String,
        /// How large it may be.
        limit: String,
    },
    /// Nobody who is trusted has signed it.
    #[error("the key {0} is not trusted")]
    UnknownKey(String),
    /// There is no signature of it.
    #[error("it is not signed: {0}")]
    Unsigned(String),
}

impl PackageError {
    /// The SHA-256 of something is another one than is said.
    #[doc(hidden)]
    pub fn digest(what: impl Into<String>, said: Digest, found: Digest) -> Self {
        PackageError::Differs {
            what: format!("the SHA-256 of {}", what.into()),
            said: said.to_string(),
            found: found.to_string(),
        }
    }

    /// The stable code, and the next step for whoever reads the error.
    #[doc(hidden)]
    pub fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            PackageError::Damaged(_) => ("HR0811", "put back a copy of it, or move it away: then nobody is trusted"),
            PackageError::FalseKey { .. } => ("HR0815", "do not use it; ask its maker for the right one"),
            PackageError::HomeInUse { .. } => ("HR0812", "wait until that is over"),
            PackageError::HomeOpen(_) => {
                ("HR0813", "make it yours alone: `chmod go-w` on it, and `chown` to the user that runs the host")
            }
            PackageError::Revoked { .. } => ("HR0814", "get a package that is signed by another key of its maker"),
            PackageError::Archive(_) => {
                ("HR0801", "fetch it again; `hookrail pack` makes packages, docs/package.md says what they are")
            }
            PackageError::Differs { .. } => (
                "HR0802",
                "fetch it again, or install it again if it is installed; if it stays so, its maker has to pack it anew",
            ),
            PackageError::Files(_) => ("HR0803", "fetch it again; if it stays so, its maker has to pack it anew"),
            PackageError::Incompatible(_) => ("HR0804", "install a version of it that was made for this host"),
            PackageError::Member { .. } => ("HR0805", "do not use it; `hookrail pack` makes none like that"),
            PackageError::Metadata(_) => {
                ("HR0806", "docs/package.md describes each key; `hookrail pack` fills in what can be known")
            }
            PackageError::Signature(_) => ("HR0807", "do not use it; fetch the package and its .minisig again"),
            PackageError::TooLarge { .. } => ("HR0808", "put large data elsewhere, and have the plugin fetch it"),
            PackageError::UnknownKey(_) => {
                ("HR0809", "if you trust its maker: `hookrail trust add KEY`, with the key from their website")
            }
            PackageError::Unsigned(_) => (
                "HR0810",
                "fetch its .minisig too; a package of your own: `hookrail sign FILE`; just this file, without: `hookrail plugin allow`",
            ),
        }
    }
}

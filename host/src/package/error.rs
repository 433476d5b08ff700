//! Why a package is refused.

use super::digest::Digest;

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
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

impl Rejected {
    pub(crate) fn digest(what: impl Into<String>, said: Digest, found: Digest) -> Self {
        Rejected::Differs {
            what: format!("the SHA-256 of {}", what.into()),
            said: said.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            Rejected::Damaged(_) => ("HR0811", "put back a copy of it, or move it away: then nobody is trusted"),
            Rejected::FalseKey { .. } => ("HR0815", "do not use it; ask its maker for the right one"),
            Rejected::HomeInUse { .. } => ("HR0812", "wait until that is over"),
            Rejected::HomeOpen(_) => {
                ("HR0813", "make it yours alone: `chmod go-w` on it, and `chown` to the user that runs the host")
            }
            Rejected::Revoked { .. } => ("HR0814", "get a package that is signed by another key of its maker"),
            Rejected::Archive(_) => {
                ("HR0801", "fetch it again; `hookrail pack` makes packages, docs/package.md says what they are")
            }
            Rejected::Differs { .. } => (
                "HR0802",
                "fetch it again, or install it again if it is installed; if it stays so, its maker has to pack it anew",
            ),
            Rejected::Files(_) => ("HR0803", "fetch it again; if it stays so, its maker has to pack it anew"),
            Rejected::Incompatible(_) => ("HR0804", "install a version of it that was made for this host"),
            Rejected::Member { .. } => ("HR0805", "do not use it; `hookrail pack` makes none like that"),
            Rejected::Metadata(_) => {
                ("HR0806", "docs/package.md describes each key; `hookrail pack` fills in what can be known")
            }
            Rejected::Signature(_) => ("HR0807", "do not use it; fetch the package and its .minisig again"),
            Rejected::TooLarge { .. } => ("HR0808", "put large data elsewhere, and have the plugin fetch it"),
            Rejected::UnknownKey(_) => {
                ("HR0809", "if you trust its maker: `hookrail trust add KEY`, with the key from their website")
            }
            Rejected::Unsigned(_) => (
                "HR0810",
                "fetch its .minisig too; a package of your own: `hookrail sign FILE`; just this file, without: `hookrail plugin allow`",
            ),
        }
    }
}

/// Text of a package that nobody has looked at yet, for people to see: without what would command their
/// terminal, and with an end.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 1000;
    let mut shown = String::new();
    for letter in text.chars().take(MOST) {
        // Debug would escape quotes too, which print.
        match letter {
            '"' | '\'' | '\\' => shown.push(letter),
            _ => shown.extend(letter.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

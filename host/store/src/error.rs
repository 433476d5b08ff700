//! What can go wrong with what is installed.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use hookrail_model::error::{ConfigError, Error as HostError, lines};
use hookrail_package::{self as package, PackageError};

/// What can go wrong with what is installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What can go wrong with a library or a configuration, or with the system.
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
        refused: impl FnOnce(String, StoreError) -> E,
    ) -> E {
        match self {
            Error::Host(error) => host(error),
            Error::PackageRejected { package, why } => rejected(package, why),
            Error::Store { plugin, why } => refused(plugin, why),
        }
    }

    /// The stable code, `HR` and four digits.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Host(error) => error.code(),
            Error::PackageRejected { why, .. } => why.code_and_fix().0,
            Error::Store { why, .. } => why.code_and_fix().0,
        }
    }

    /// The next step for whoever reads the error.
    pub fn fix(&self) -> Cow<'static, str> {
        match self {
            Error::Host(error) => error.fix(),
            Error::PackageRejected { why, .. } => why.code_and_fix().1.into(),
            Error::Store { plugin, why } => why.fix(plugin).into(),
        }
    }
}

impl From<package::Error> for Error {
    fn from(error: package::Error) -> Self {
        error.into_case(Error::Host, |package, why| Error::PackageRejected { package, why })
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Error::Host(error.into())
    }
}

/// Why a change to what is installed is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// That version is there.
    #[error("version {version} is installed already{}", if *is_current { "" } else { ", as the one before the current one" })]
    AlreadyInstalled {
        /// The version.
        version: String,
        /// Whether it is the current one.
        is_current: bool,
    },
    /// The configuration of the host says how it is configured.
    #[error("the host's own configuration, hookrail.toml, says how it is configured")]
    ConfiguredByHost,
    /// The file that says what is installed makes no sense.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The file with a plugin's configuration makes no sense.
    #[error("it is damaged: {0}")]
    DamagedConfig(String),
    /// It is not enabled.
    #[error("it is disabled")]
    Disabled,
    /// It is older than what was installed once.
    #[error("version {version} is older than {newest}, which was installed before")]
    Downgrade {
        /// The version.
        version: String,
        /// The newest one ever seen.
        newest: String,
    },
    /// Another key has the name.
    #[error("the name belongs to the key {owner}, which installed it first, and this is signed by {key}")]
    ForeignName {
        /// The key that signed the package.
        key: String,
        /// The key that the name belongs to.
        owner: String,
    },
    /// It needs plugins that are not there, or not enabled.
    #[error("it needs {}", .0.join("; "))]
    Lacks(Vec<String>),
    /// Other plugins need it as it is.
    #[error("others need it: {}", .0.join("; "))]
    Needed(Vec<String>),
    /// It has no such callback, whose priority or else could be changed.
    #[error("it declares no callback {callback} on {point}")]
    NoCallback {
        /// As `instance/callback`.
        callback: String,
        /// The point.
        point: String,
    },
    /// There is no version to go back to.
    #[error("there is no version before the current one")]
    NoPrevious,
    /// No plugin of that name is installed.
    #[error("it is not installed")]
    NotInstalled,
    /// The configuration is larger than one may be.
    #[error("a configuration of {bytes} bytes is more than the {} that one may have", MAX_CONFIG)]
    TooLarge {
        /// As compact JSON.
        bytes: usize,
    },
    /// What its operator has set does not fit the schema of a version; all mistakes at once.
    #[error("the configuration that is set does not fit version {version}:{}", lines(mistakes))]
    Unfit {
        /// The version.
        version: String,
        /// Path and mistake, each.
        mistakes: Vec<String>,
    },
    /// A plugin of that name came with the program.
    #[error("a plugin of that name came with the program")]
    Prebuilt,
}

impl StoreError {
    /// The next step where it is about that plugin: a command is to be run as it stands.
    pub fn fix(&self, plugin: &str) -> String {
        self.code_and_fix().1.replace("NAME", plugin)
    }

    /// The stable code, and the next step for whoever reads the error.
    #[doc(hidden)]
    pub fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            StoreError::AlreadyInstalled { is_current: true, .. } => {
                ("HR0821", "nothing is to be done; to have its files anew, uninstall it first")
            }
            StoreError::AlreadyInstalled { is_current: false, .. } => {
                ("HR0827", "`hookrail plugin rollback NAME` returns to it")
            }
            StoreError::ConfiguredByHost => ("HR0832", "change it there, or take it out there and set it anew"),
            StoreError::Damaged(_) => (
                "HR0822",
                "put back a copy of it; or move it and the directory store away, and install the plugins again",
            ),
            StoreError::DamagedConfig(_) => (
                "HR0828",
                "put back a copy of it; or move it away, which leaves the package's default, and set the configuration again",
            ),
            StoreError::Disabled => ("HR0831", "`hookrail plugin enable NAME` has hosts load it"),
            StoreError::Downgrade { .. } => {
                ("HR0823", "install a newer one; if the older one is really wanted: `plugin install FILE --downgrade`")
            }
            StoreError::ForeignName { .. } => (
                "HR0824",
                "ask its maker; if the name really changed hands: `hookrail plugin uninstall NAME --purge`, and install it then",
            ),
            StoreError::Lacks(_) => ("HR0833", "install and enable those first"),
            StoreError::Needed(_) => {
                ("HR0834", "disable or uninstall those first; or upgrade them to versions that take it")
            }
            StoreError::NoCallback { .. } => {
                ("HR0835", "`hookrail plugin show NAME` lists its callbacks; INSTANCE/CALLBACK names one")
            }
            StoreError::NoPrevious => ("HR0825", "install another version of it"),
            StoreError::Prebuilt => {
                ("HR0830", "that one is there already: `hookrail plugin enable NAME`; another one needs another name")
            }
            StoreError::NotInstalled => ("HR0826", "`hookrail plugin list` shows what is"),
            StoreError::TooLarge { .. } => {
                ("HR0836", "put what is large into a file, and its name into the configuration")
            }
            StoreError::Unfit { .. } => (
                "HR0829",
                "set one that both versions take; or disable the plugin, install that version, set one that fits it, and enable it again",
            ),
        }
    }
}

/// How large a configuration may be, in bytes of compact JSON: a host is told all of it in one line.
pub const MAX_CONFIG: usize = 512 << 10;

pub(crate) fn refused(plugin: &str, why: StoreError) -> Error {
    Error::Store { plugin: plugin.into(), why }
}

/// What the system refused to do with a file.
pub(crate) fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::system(format!("{what} {}", path.display()), source)
}

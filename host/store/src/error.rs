//! The errors of the store.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use hookrail_model::config::MAX_CONFIG;
use hookrail_model::constructors;
use hookrail_model::error::{ConfigError, Error as HostError, NO_PLUGIN, lines};
use hookrail_package::{self as package, PackageError};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of a library, a configuration or the system.
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
    /// An error about an installed plugin.
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
    /// [`Store`](Self::Store)
    pub fn refused(plugin: impl Into<String>, why: StoreError) -> Self {
        Error::Store { plugin: plugin.into(), why }
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

    /// Whether the same may succeed in a moment, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        hookrail_model::retryable::is_retryable(self.code())
    }

    /// The next step for the person who reads the error.
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

/// Why a change of the store is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// That version is already installed.
    #[error("version {version} is already installed{}", if *is_current { "" } else { ", as the one before the current one" })]
    #[non_exhaustive]
    AlreadyInstalled {
        /// The version.
        version: String,
        /// Whether it is the current one.
        is_current: bool,
    },
    /// Its configuration has changed since somebody looked.
    #[error("its configuration has revision {revision} by now, not {expected}")]
    #[non_exhaustive]
    ConfigChanged {
        /// The revision that was to be changed.
        expected: u64,
        /// The current one.
        revision: u64,
    },
    /// The host's own configuration has it, which takes precedence over the store.
    #[error("{what} in {place}, which commands do not change")]
    #[non_exhaustive]
    Declared {
        /// What is declared there.
        what: String,
        /// The file and the line, if the configuration is from a file.
        place: String,
    },
    /// `state.json` is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The file with a plugin's configuration is damaged.
    #[error("it is damaged: {0}")]
    DamagedConfig(String),
    /// It is not enabled.
    #[error("it is disabled")]
    Disabled,
    /// It is older than a version that was installed before.
    #[error("version {version} is older than {newest}, which was installed before")]
    #[non_exhaustive]
    Downgrade {
        /// The version.
        version: String,
        /// The newest version ever installed.
        newest: String,
    },
    /// The name belongs to another key.
    #[error("the name belongs to the key {owner}, which installed it first, and this is signed by {key}")]
    #[non_exhaustive]
    ForeignName {
        /// The key that signed the package.
        key: String,
        /// The key that the name belongs to.
        owner: String,
    },
    /// It requires plugins that are missing or not enabled.
    #[error("it needs {}", .0.join("; "))]
    MissingRequirements(Vec<String>),
    /// Other plugins require it as it is.
    #[error("others need it: {}", .0.join("; "))]
    RequiredByOthers(Vec<String>),
    /// It has no such callback to override.
    #[error("it declares no callback {callback} on {point}")]
    #[non_exhaustive]
    NoCallback {
        /// As `instance/callback`.
        callback: String,
        /// The point.
        point: String,
    },
    /// There is no earlier version to go back to.
    #[error("there is no version before the current one")]
    NoPrevious,
    /// No plugin with that name is installed.
    #[error("it is not installed")]
    NotInstalled,
    /// The configuration is too large.
    #[error("a configuration of {bytes} bytes is over the limit of {}", MAX_CONFIG)]
    #[non_exhaustive]
    TooLarge {
        /// Its size in bytes, as compact JSON.
        bytes: usize,
    },
    /// The operator's configuration does not match the schema of a version; all mistakes at once.
    #[error("the configuration that is set does not fit version {version}:{}", lines(mistakes))]
    #[non_exhaustive]
    Unfit {
        /// The version.
        version: String,
        /// The path and the mistake, for each.
        mistakes: Vec<String>,
    },
    /// A plugin with that name came with the program.
    #[error("a plugin of that name is bundled with the program")]
    Prebuilt,
}

constructors! {
    StoreError:
    config_changed = ConfigChanged(expected: u64, revision: u64),
    declared = Declared(what: impl Into<String>, place: impl Into<String>),
}

impl StoreError {
    /// The next step for an error about that plugin; it may contain a command to run as it stands.
    pub fn fix(&self, plugin: &str) -> String {
        self.code_and_fix().1.replace("NAME", plugin)
    }

    /// The stable code, and the next step for the person who reads the error.
    #[doc(hidden)]
    pub fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            StoreError::AlreadyInstalled { is_current: true, .. } => {
                ("HR0821", "there is nothing to do; to install its files again, uninstall it first")
            }
            StoreError::AlreadyInstalled { is_current: false, .. } => {
                ("HR0827", "`hookrail plugin rollback NAME` returns to it")
            }
            StoreError::ConfigChanged { .. } => {
                ("HR0837", "`hookrail config get NAME` shows it; then repeat the command")
            }
            StoreError::Declared { .. } => {
                ("HR0832", "change it there, and restart the host; or remove it there, and repeat the command")
            }
            StoreError::Damaged(_) => (
                "HR0822",
                "restore a copy of it; or move it and the directory store away, and install the plugins again",
            ),
            StoreError::DamagedConfig(_) => (
                "HR0828",
                "restore a copy of it; or move it away, which leaves the package's default, and set the configuration again",
            ),
            StoreError::Disabled => ("HR0831", "`hookrail plugin enable NAME` makes hosts load it"),
            StoreError::Downgrade { .. } => {
                ("HR0823", "install a newer one; if you really want the older one: `plugin install FILE --downgrade`")
            }
            StoreError::ForeignName { .. } => (
                "HR0824",
                "ask its author; if the name has really changed hands: `hookrail plugin uninstall NAME --purge`, and install it then",
            ),
            StoreError::MissingRequirements(_) => ("HR0833", "install and enable those first"),
            StoreError::RequiredByOthers(_) => {
                ("HR0834", "disable or uninstall those first; or upgrade them to versions that accept it")
            }
            StoreError::NoCallback { .. } => {
                ("HR0835", "`hookrail plugin show NAME` lists its callbacks; INSTANCE/CALLBACK names one")
            }
            StoreError::NoPrevious => ("HR0825", "install another version of it"),
            StoreError::Prebuilt => (
                "HR0830",
                "that one is already there: `hookrail plugin enable NAME`; another plugin needs another name",
            ),
            StoreError::NotInstalled => (NO_PLUGIN, "`hookrail plugin list` shows what is installed"),
            StoreError::TooLarge { .. } => {
                ("HR0836", "put large data into a file, and the name of the file into the configuration")
            }
            StoreError::Unfit { .. } => (
                "HR0829",
                "set one that both versions accept; or disable the plugin, install that version, set one that fits it, and enable it again",
            ),
        }
    }
}

pub(crate) fn refused(plugin: &str, why: StoreError) -> Error {
    Error::Store { plugin: plugin.into(), why }
}

/// The error of a failed system call on a file.
pub(crate) fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::system(format!("{what} {}", path.display()), source)
}

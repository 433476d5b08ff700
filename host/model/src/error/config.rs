//! Mistakes in the configuration.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::lines::lines;
use crate::instance::plugin_of;

/// A mistake in the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not TOML of the known form.
    #[error("{}: {why}", file.display())]
    #[non_exhaustive]
    File {
        /// The file.
        file: PathBuf,
        /// Where the mistake is, and what it is.
        why: String,
        /// What should be written instead, if that can be guessed.
        instead: Option<String>,
    },
    /// Another mistake, in a configuration that was read from a file.
    #[error("{place}: {error}")]
    #[non_exhaustive]
    InFile {
        /// The file and the line.
        place: String,
        /// The mistake.
        error: Box<ConfigError>,
    },
    /// A key has a value that is not valid.
    #[error("`{key}` {why}")]
    #[non_exhaustive]
    InvalidValue {
        /// The key, as in the file.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// An operator's override uses a reserved priority.
    #[error("the override of {callback} on {point} has the reserved priority {priority}")]
    #[non_exhaustive]
    ReservedPriority {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The priority.
        priority: i32,
    },
    /// A plugin's configuration does not match its schema; all mistakes at once.
    #[error("the configuration of `{instance}` does not fit its schema:{}", lines(mistakes))]
    #[non_exhaustive]
    Schema {
        /// The instance.
        instance: String,
        /// The path and the mistake, for each.
        mistakes: Vec<String>,
    },
    /// The configuration of an endpoint in a pipeline does not match its schema; all mistakes at once.
    #[error("`{key}` does not fit the schema of {uses}:{}", lines(mistakes))]
    #[non_exhaustive]
    Endpoint {
        /// The key of the configuration.
        key: String,
        /// The endpoint, as `instance/name`.
        uses: String,
        /// The path and the mistake, for each.
        mistakes: Vec<String>,
    },
    /// More than one instance is configured for a plugin that allows only one.
    #[error("`{0}` can have one instance only")]
    TooManyInstances(String),
}

impl ConfigError {
    /// [`File`](Self::File)
    pub fn file(file: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        ConfigError::File { file: file.into(), why: why.into(), instead: None }
    }

    /// As this, if it is about the schema of an endpoint, whose configuration has that key.
    #[doc(hidden)]
    #[must_use]
    pub fn of_endpoint(self, key: &str) -> Self {
        match self {
            ConfigError::Schema { instance: uses, mistakes } => {
                ConfigError::Endpoint { key: key.into(), uses, mistakes }
            }
            other => other,
        }
    }

    /// Says what should be written instead, if this is a [`File`](Self::File).
    #[doc(hidden)]
    #[must_use]
    pub fn with_instead(mut self, better: Option<String>) -> Self {
        if let ConfigError::File { instead, .. } = &mut self {
            *instead = better;
        }
        self
    }

    /// Refuses a path that begins with `~`: only shells expand it, and not everywhere, as in `--home=~/x`. It would be
    /// a directory of that name.
    ///
    /// # Errors
    /// If it begins with `~`.
    #[doc(hidden)]
    pub fn check_path(key: &str, path: &Path) -> Result<(), Self> {
        if path.starts_with("~") {
            let why = format!("is {}, and `~` is not expanded here: write the path in full", path.display());
            return Err(Self::invalid_value(key, why));
        }
        Ok(())
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            ConfigError::File { .. } => "HR0201",
            ConfigError::InFile { error, .. } => error.code(),
            ConfigError::ReservedPriority { .. } => "HR0202",
            ConfigError::Endpoint { .. } | ConfigError::Schema { .. } => "HR0203",
            ConfigError::TooManyInstances(_) => "HR0204",
            ConfigError::InvalidValue { .. } => "HR0205",
        }
    }

    pub(super) fn fix(&self) -> Cow<'static, str> {
        match self {
            ConfigError::File { instead: Some(instead), .. } => {
                format!("{instead}; docs/guide/operating.md lists all keys").into()
            }
            ConfigError::File { .. } => {
                "fix the file, in which text needs quotes; docs/guide/operating.md lists its keys".into()
            }
            ConfigError::InFile { error, .. } => match &**error {
                // A command may not set what a file declares.
                ConfigError::Schema { instance, .. } => format!(
                    "`hookrail config schema {}` prints what it takes, or `hookrail inspect --schema FILE`: mend it there",
                    plugin_of(instance)
                )
                .into(),
                other => other.fix(),
            },
            ConfigError::Endpoint { uses, .. } => {
                format!("the README of the plugin `{}` says what it takes", plugin_of(uses.split('/').next().unwrap_or(uses)))
                    .into()
            }
            ConfigError::InvalidValue { .. } => "docs/guide/operating.md says what each key means".into(),
            ConfigError::ReservedPriority { .. } => "use any number but 1000 and the ends of the range".into(),
            ConfigError::Schema { instance, .. } => format!(
                "`hookrail config schema {plugin}` prints what it takes, `hookrail config set {plugin} KEY=VALUE` sets it; `hookrail inspect --schema FILE`, what a library takes that is not installed",
                plugin = plugin_of(instance)
            )
            .into(),
            ConfigError::TooManyInstances(plugin) => {
                format!("configure it once, in [plugins.{plugin}.config], without [plugins.{plugin}.instances]").into()
            }
        }
    }
}

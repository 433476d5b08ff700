//! What all verbs share: the configuration of the hosts of this program, and their home; and where each comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hookrail::{Config, ConfigError, stream};
use serde::Serialize;

/// What the command line says.
static GIVEN: OnceLock<Given> = OnceLock::new();

#[derive(Debug)]
struct Given {
    home: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// Where a setting comes from. A flag takes precedence over the environment, and that over a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    Default,
    Environment,
    File,
    Flag,
}

/// A path, and where it comes from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sourced {
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
}

/// The configuration in effect.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Its `home` is the one in effect.
    pub(crate) config: Config,
    /// The file that it was read from, if there is one.
    pub(crate) file: Option<Sourced>,
    pub(crate) home: Sourced,
}

/// Keeps what `--home` and `--config` say. Once, before anything is read.
pub(crate) fn give(home: Option<PathBuf>, config: Option<PathBuf>) {
    // They are the program's own arguments, of which there is one each.
    let _ = GIVEN.set(Given { home, config });
}

/// Whether the configuration was named by `--config`.
pub(crate) fn is_config_given() -> bool {
    GIVEN.get().is_some_and(|given| given.config.is_some())
}

/// The configuration file in effect: that of `--config`, else of `$HOOKRAIL_CONFIG`, else `hookrail.toml` in this
/// directory.
pub(crate) fn file() -> Option<Sourced> {
    const HERE: &str = "hookrail.toml";
    let given = || GIVEN.get()?.config.clone();
    let here = || Path::new(HERE).exists().then(|| Sourced { path: HERE.into(), source: Source::Default });
    from(given, "HOOKRAIL_CONFIG").or_else(here)
}

/// The configuration in effect.
pub(crate) fn read() -> Result<Settings, hookrail::Error> {
    let file = file();
    let mut config = match &file {
        Some(file) => Config::read(&file.path)?,
        None => Config::of_environment()?,
    };
    let home = named_home()?.unwrap_or_else(|| {
        let source = if config.home.is_some() { Source::File } else { Source::Default };
        Sourced { path: config.home_dir(), source }
    });
    if home.source == Source::Default && home.path.is_relative() {
        let why =
            "has no default: $HOME is not set, and the system knows no directory of this user; --home DIR sets it";
        return Err(ConfigError::invalid_value("home", why).into());
    }
    config.home = Some(home.path.clone());
    Ok(Settings { config, file, home })
}

/// What is wrong with the configuration, before anything else is looked at: with the file, with variables of the
/// environment, and with pipelines.
pub(crate) fn mistakes() -> Result<Vec<ConfigError>, hookrail::Error> {
    let file = file();
    let mistakes = Config::mistakes(file.as_ref().map(|file| &*file.path))?;
    if !mistakes.is_empty() {
        return Ok(mistakes);
    }
    let config = read()?.config;
    Ok(stream::mistakes(&config.pipelines).into_iter().map(|mistake| config.located(mistake)).collect())
}

/// The home of the hosts of this user: that of `--home`, else of `$HOOKRAIL_HOME`, else of the configuration.
pub(crate) fn home() -> Result<PathBuf, hookrail::Error> {
    match named_home()? {
        Some(home) => Ok(home.path),
        None => Ok(read()?.home.path),
    }
}

fn named_home() -> Result<Option<Sourced>, ConfigError> {
    let named = from(|| GIVEN.get()?.home.clone(), "HOOKRAIL_HOME");
    named.iter().try_for_each(|home| ConfigError::check_path("home", &home.path))?;
    Ok(named)
}

fn from(flag: impl FnOnce() -> Option<PathBuf>, variable: &str) -> Option<Sourced> {
    let in_environment = || std::env::var_os(variable).filter(|value| !value.is_empty());
    let sourced = |source| move |path: PathBuf| Sourced { path, source };
    let environment = || in_environment().map(PathBuf::from).map(sourced(Source::Environment));
    flag().map(sourced(Source::Flag)).or_else(environment)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Default => "by default",
            Source::Environment => "from the environment",
            Source::File => "from the configuration file",
            Source::Flag => "from the command line",
        })
    }
}

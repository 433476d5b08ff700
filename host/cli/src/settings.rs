//! The configuration of the hosts of this program, `hookrail.toml`, and the home that all verbs share.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hookrail::Config;

/// What `--home` says.
static HOME: OnceLock<PathBuf> = OnceLock::new();

/// `--home` was given. Once, before anything is read.
pub(crate) fn set_home(home: PathBuf) {
    // It is the program's own argument, of which there is one.
    let _ = HOME.set(home);
}

/// The configuration that the command line names, or the one in this directory. Its home is that of `--home`, else of
/// `$HOOKRAIL_HOME`, else of the file.
pub(crate) fn read(named: Option<&Path>) -> Result<Config, hookrail::Error> {
    const HERE: &str = "hookrail.toml";
    let mut config = match named {
        Some(file) => Config::read(file)?,
        None if Path::new(HERE).exists() => Config::read(HERE)?,
        None => Config::default(),
    };
    let from_environment = || std::env::var_os("HOOKRAIL_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    config.home = HOME.get().cloned().or_else(from_environment).or(config.home);
    Ok(config)
}

/// The home of the hosts of this user.
pub(crate) fn home() -> Result<PathBuf, hookrail::Error> {
    Ok(read(None)?.home())
}

//! The configuration of the hosts of this program: `hookrail.toml`.

use std::path::Path;

use hookrail::Config;

/// The configuration that the command line names, or the one in the current directory.
pub(crate) fn read(named: Option<&Path>) -> Result<Config, hookrail::Error> {
    const HERE: &str = "hookrail.toml";
    match named {
        Some(file) => Config::read(file),
        None if Path::new(HERE).exists() => Config::read(HERE),
        None => Ok(Config::default()),
    }
}

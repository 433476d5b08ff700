//! Reading `hookrail.toml`, and the variables that set keys beside it.

use std::fs;
use std::path::Path;

use hookrail_model::error::{ConfigError, Error};
use serde::Deserialize;
use toml::Table;

use super::instead::instead;
use super::places::Places;
use super::{Config, environment, home_of_environment};

impl Config {
    /// Reads a configuration file, and the variables of the environment that set keys, which take precedence:
    /// `HOOKRAIL_UNLOAD__DEADLINE` is `deadline` in `[unload]`. Paths in the file are relative to it. `$HOOKRAIL_HOME` takes
    /// precedence over its `home`, as for the program `hookrail`: both find the same hosts and plugins.
    ///
    /// # Errors
    /// If the file cannot be read, or is not valid, or a variable sets no key.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, Error> {
        let file = file.as_ref();
        let text =
            fs::read_to_string(file).map_err(|source| Error::system(format!("read {}", file.display()), source))?;
        let table: Table = toml::from_str(&text).map_err(|error| not_valid(file, &text, &error))?;
        // By the text, which knows the lines.
        let _: Config = toml::from_str(&text).map_err(|error| not_valid(file, &text, &error))?;
        let mut config = Self::with_environment(table, Places::of(file, &text))?;
        let directory = file.parent().unwrap_or(Path::new(""));
        let places = config.places.clone().unwrap_or_default();
        for (name, plugin) in &mut config.plugins {
            let is_of_file = places.variable(&format!("plugins.{name}.library")).is_none();
            if let Some(library) = plugin.library.as_mut().filter(|_| is_of_file) {
                *library = directory.join(&library);
            }
        }
        config.home = home_of_environment().or(config.home.map(|home| directory.join(home)));
        Ok(config)
    }

    /// The configuration without a file: what variables of the environment set.
    ///
    /// # Errors
    /// If a variable sets no key.
    pub fn of_environment() -> Result<Self, Error> {
        Ok(Self::with_environment(Table::new(), Places::default())?)
    }

    fn with_environment(mut table: Table, mut places: Places) -> Result<Self, ConfigError> {
        for setting in environment::settings(std::env::vars_os())? {
            let key = setting.apply(&mut table)?;
            places.set(key, setting.variable);
        }
        let mut config = Config::deserialize(table).expect("each setting was tried");
        config.places = Some(places);
        config.check_paths().map_err(|error| config.located(error))?;
        Ok(config)
    }
}

/// A mistake that TOML or the form of a configuration shows.
pub(super) fn not_valid(file: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::file(file, error.to_string().trim_end()).with_instead(instead(text, error.span()))
}

//! The operator's configuration.

use std::path::PathBuf;

use hookrail_abi::prelude::*;

/// Configuration of the plugin `file-log`.
#[config]
#[serde(default)]
pub(crate) struct Config {
    /// The file to append to. A relative path is relative to the state directory of the instance. Without one, nothing is
    /// logged: the plugin is there for its sink.
    pub(crate) path: Option<PathBuf>,

    /// The format of a line.
    pub(crate) format: Format,

    /// Whether to log dropped messages too, with who denied them and why.
    pub(crate) dropped: bool,

    /// The size in bytes at which the file is renamed to `path.1` and a new one is started; 0 for never.
    pub(crate) max_bytes: u64,

    /// How many renamed files are kept, `path.1` the newest: 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) keep: u32,
}

/// The format of a line.
#[config]
#[derive(Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// One JSON object: the whole message.
    Json,
    /// Time, source, topic and body, for people.
    Text,
}

impl Default for Config {
    fn default() -> Self {
        Config { path: None, format: Format::Json, dropped: false, max_bytes: 64 << 20, keep: 5 }
    }
}

impl Config {
    /// Checks what serde cannot.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.path {
            Some(path) if path.file_name().is_none() => {
                return Err(format!("`path` is \"{}\": name a file", path.display()).into());
            }
            None if self.dropped => return Err("`dropped` needs `path`: name a file".into()),
            _ => {}
        }
        if !(1..=1000).contains(&self.keep) {
            return Err(format!("`keep` is {}: keep 1 to 1000 files", self.keep).into());
        }
        Ok(())
    }
}

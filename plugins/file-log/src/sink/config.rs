//! The operator's configuration of one use of the sink.

use hookrail_abi::prelude::*;

/// Configuration of the sink `file`.
#[config]
pub(crate) struct Config {
    /// The file to append to. A relative path is relative to the state directory of the instance. In the file's name,
    /// `{topic}` is the topic of a message, percent-escaped, and `{date}` the day of its timestamp in UTC, as in
    /// `2026-01-31`.
    pub(crate) path: String,

    /// What is written of a message.
    #[serde(default)]
    pub(crate) format: Format,

    /// The mode of a new file in octal, less the umask of the process.
    #[serde(default = "default_mode")]
    #[schemars(regex(pattern = r"^0?[67][0-7]{2}$"))]
    pub(crate) mode: String,

    /// When a message is acknowledged.
    #[serde(default)]
    pub(crate) sync: Sync,
}

/// What is written of a message.
#[config]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// The whole message as one JSON object, and a newline.
    Json,
    /// The body as it is, and a newline.
    #[default]
    Text,
}

/// When a message is acknowledged.
#[config]
#[derive(Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sync {
    /// When it is on disk: what was acknowledged survives a power failure.
    Batch,
    /// When the system has it: what was acknowledged survives the end of the process, but not a power failure.
    #[default]
    Never,
}

impl Config {
    /// The mode as a number.
    pub(crate) fn mode(&self) -> Result<u32> {
        let digits = self.mode.strip_prefix('0').filter(|rest| rest.len() == 3).unwrap_or(&self.mode);
        match digits.as_bytes() {
            [b'6' | b'7', b'0'..=b'7', b'0'..=b'7'] => Ok(u32::from_str_radix(digits, 8)?),
            _ => Err(format!(
                "`mode` is \"{}\": write an octal number that lets the owner read and write, such as \"0640\"",
                self.mode
            )
            .into()),
        }
    }
}

fn default_mode() -> String {
    "0640".into()
}

//! What stands behind `config/2`: in the host the rules, in a worker a question to its host.

use std::fmt;

use hookrail_model::config::MAX_CONFIG;
use serde::{Deserialize, Serialize};

/// Called when what was written is in force, with its revision, before anything else can change the configuration.
pub type Taken = Box<dyn FnOnce(u64) + Send>;

/// The configurations of a plugin's instances, as the instances themselves may read and write them. Never waits for
/// another call of the plugin, or for the operator.
pub trait Writable: fmt::Debug + Send + Sync {
    /// The configuration that is kept for an instance, as JSON, and its revision.
    ///
    /// # Errors
    /// If it cannot be read.
    fn stored(&self, instance: &str) -> Result<(String, u64), NotWritten>;

    /// Replaces the configuration of an instance, if the revision is still that one; returns the new one.
    ///
    /// # Errors
    /// If it is not written; then `taken` is not called.
    fn write(&self, instance: &str, json: &str, if_revision: Option<u64>, taken: Taken) -> Result<u64, NotWritten>;
}

/// Why a configuration was not written, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotWritten {
    /// The same may be taken in a moment.
    Busy(String),
    /// The current revision is another one.
    Changed(String),
    /// The same would be refused again.
    Refused(String),
}

impl NotWritten {
    /// For an error with that code and text.
    pub fn of(code: &str, is_retryable: bool, text: &str) -> Self {
        let mut lines = text.lines().map(str::trim);
        let first = lines.next().unwrap_or_default();
        let rest: Vec<_> = lines.collect();
        let line = format!("{code}: {first} {}", rest.join("; "));
        let kind = if is_retryable { NotWritten::Busy } else { NotWritten::Refused };
        kind(line.trim_end().into())
    }

    pub(crate) fn too_large(bytes: usize) -> Option<Self> {
        let text = || format!("HR0836: a configuration of {bytes} bytes is over the limit of {MAX_CONFIG}");
        (bytes > MAX_CONFIG).then(|| NotWritten::Refused(text()))
    }
}

impl From<hookrail_model::error::Error> for NotWritten {
    fn from(error: hookrail_model::error::Error) -> Self {
        NotWritten::of(error.code(), error.is_retryable(), &error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_stand_in_one_line() {
        let text = "the configuration of `mask` does not fit its schema:\n  /a: too long\n  /b: missing";
        let said = "HR0203: the configuration of `mask` does not fit its schema: /a: too long; /b: missing";
        assert_eq!(NotWritten::of("HR0203", false, text), NotWritten::Refused(said.into()));
        assert_eq!(NotWritten::of("HR0106", true, "busy"), NotWritten::Busy("HR0106: busy".into()));
    }
}

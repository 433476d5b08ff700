//! Errors as they cross: with their code and their fix, as if they had happened in the host.

use std::io;

use hookrail_model::error::{Error, Incompatible, Misbehaved};
use serde::{Deserialize, Serialize};

/// An error of a plugin, or of the system, in a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireError {
    Incompatible(String, Incompatible),
    Misbehaved(String, Misbehaved),
    /// What was attempted, the system's number of the error if it has one, and its text.
    System(String, Option<i32>, String),
}

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        match error {
            Error::PluginIncompatible { plugin, why, .. } => WireError::Incompatible(plugin, why),
            Error::PluginMisbehaved { plugin, why, .. } => WireError::Misbehaved(plugin, why),
            Error::System { what, cause, .. } => WireError::System(what, cause.raw_os_error(), cause.to_string()),
            // Of the worker itself, which asks for nothing that its host has not checked.
            other => WireError::System("run the plugin in its worker".into(), None, other.to_string()),
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Incompatible(plugin, why) => Error::incompatible(plugin, why),
            WireError::Misbehaved(plugin, why) => Error::misbehaved(plugin, why),
            WireError::System(what, Some(number), _) => Error::system(what, io::Error::from_raw_os_error(number)),
            WireError::System(what, None, text) => Error::system(what, io::Error::other(text)),
        }
    }
}

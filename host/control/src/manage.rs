//! Management, wherever it is executed.

use hookrail_model::command::Command;

/// Executes commands: by a [`Manager`](crate::Manager) in this program, by a [`Client`](crate::Client) in a running
/// host, or by an [`Offline`](crate::Offline) on the store where no host runs.
pub trait Manage {
    /// Why a command failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Executes a command and returns its answer.
    ///
    /// # Errors
    /// If the command is refused or fails, or its answer does not arrive.
    fn ask<C: Command>(&mut self, command: C) -> Result<C::Answer, Self::Error>;
}

//! Management, wherever it is carried out.

use hookrail_model::command::Command;

/// Has commands carried out: by a [`Client`](crate::Client) in a host that runs, by an [`Offline`](crate::Offline) on
/// what is installed, where none does.
pub trait Manage {
    /// Why something was not done.
    type Error;

    /// Has a command carried out.
    fn ask<C: Command>(&mut self, command: C) -> Result<C::Answer, Self::Error>;
}

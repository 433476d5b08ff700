//! Why something that a worker was asked for was not done.

use std::time::Duration;

use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::units::duration_text;

/// Why something that was asked for was not done.
pub(super) enum Failed {
    /// The worker ended; how.
    Ended(String),
    /// It did not answer in time.
    Late,
    /// It was done, and failed.
    Refused(Error),
}

impl Failed {
    /// As an error of a plugin or an instance, in that call.
    pub(super) fn into_error(self, whose: &str, call: &'static str, patience: Duration) -> Error {
        match self {
            Failed::Ended(how) => Error::misbehaved(whose, Misbehaved::worker_ended(call, how)),
            Failed::Late => Error::misbehaved(whose, Misbehaved::worker_late(call, duration_text(patience))),
            Failed::Refused(error) => error,
        }
    }
}

//! Showing an answer in the requested form.

use serde::Serialize;

use crate::error::Error;
use crate::exit::ExitCode;
use crate::print;

/// Prints an answer: as JSON, or as this text.
pub(super) fn answer<T: Serialize>(answer: &T, json: bool, text: impl FnOnce(&T) -> String) -> Result<ExitCode, Error> {
    if json {
        print::json(answer)?
    } else {
        print::lines(text(answer))?
    }
    Ok(ExitCode::Ok)
}

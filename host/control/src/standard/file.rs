//! A file that a command names.

use std::path::Path;

use crate::error::ControlError;

/// The host may be in another directory than whoever asks.
pub(super) fn is_absolute(file: &Path) -> Result<(), ControlError> {
    if file.is_absolute() { Ok(()) } else { Err(ControlError::RelativePath(file.into())) }
}

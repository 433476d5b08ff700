//! A file named in a command.

use std::path::Path;

use crate::error::ControlError;

/// The host may have another current directory than the caller.
pub(super) fn is_absolute(file: &Path) -> Result<(), ControlError> {
    if file.is_absolute() { Ok(()) } else { Err(ControlError::RelativePath(file.into())) }
}

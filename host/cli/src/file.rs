//! Files named on the command line.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// Whether a file is a package and not a library, by its name.
pub(crate) fn is_package(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "hrp")
}

/// The absolute path of a file, so that the host finds it from any directory.
pub(crate) fn absolute(file: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::Input { file: file.display().to_string(), source };
    // Checked here as well, so that a missing file is reported as for other commands.
    std::fs::metadata(file).map_err(failed)?;
    std::path::absolute(file).map_err(failed)
}

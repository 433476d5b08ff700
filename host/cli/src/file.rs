//! Files that are named on the command line.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// Whether a file is a package and not a library, by its name.
pub(crate) fn is_package(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "hrp")
}

/// The file as the host will find it, from whatever directory.
pub(crate) fn absolute(file: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::Input { file: file.display().to_string(), source };
    // Looked for here as well: what is not there is told as with other files.
    std::fs::metadata(file).map_err(failed)?;
    std::path::absolute(file).map_err(failed)
}

//! The files of a new plugin, written where they belong.

use std::fs;
use std::path::{Path, PathBuf};

/// A file, by its path below the new directory, and what is in it.
pub(super) type File = (PathBuf, String);

/// Writes them below that directory.
pub(super) fn write(directory: &Path, files: &[File]) -> std::io::Result<()> {
    for (path, text) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the directory"))?;
        fs::write(path, text)?;
    }
    Ok(())
}

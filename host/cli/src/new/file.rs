//! The files of a new plugin, and writing them.

use std::fs;
use std::path::{Path, PathBuf};

/// A file: its path below the new directory, and its content.
pub(super) type File = (PathBuf, String);

/// Writes the files below that directory.
pub(super) fn write(directory: &Path, files: &[File]) -> std::io::Result<()> {
    for (path, text) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the directory"))?;
        fs::write(path, text)?;
    }
    Ok(())
}

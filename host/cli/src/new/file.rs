//! The files of a new plugin, written where they belong.

use std::fs;
use std::path::{Path, PathBuf};

/// A file, by its path below the new folder, and what is in it.
pub(super) type File = (PathBuf, String);

/// Writes them below that folder.
pub(super) fn write(folder: &Path, files: &[File]) -> std::io::Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder"))?;
        fs::write(path, text)?;
    }
    Ok(())
}

//! Small files that are replaced as a whole: a reader finds the old one or the new one, whatever ends the host meanwhile.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

/// Makes this the content of the file, durably; its directory is made if it is missing.
pub(crate) fn replace(file: &Path, content: &impl Serialize) -> io::Result<()> {
    let directory = file.parent().expect("the file lies in a directory");
    fs::create_dir_all(directory)?;
    let new = file.with_extension("new");
    let mut writing = File::create(&new)?;
    writing.write_all(&serde_json::to_vec(content)?)?;
    writing.sync_all()?;
    fs::rename(&new, file)?;
    sync_directory(directory)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// An error of a file whose content is not what it must be.
pub(crate) fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

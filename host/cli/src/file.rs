//! Files named on the command line.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Whether a file is a library, whatever its name.
pub(crate) fn is_library(file: &Path) -> Result<bool, Error> {
    Ok(magic(file)? == *b"\x7fELF")
}

/// Whether a file is a package, whatever its name.
pub(crate) fn is_package(file: &Path) -> Result<bool, Error> {
    Ok(magic(file)? == *b"PK\x03\x04")
}

/// The first bytes of a file; zeros, if it has less.
fn magic(file: &Path) -> Result<[u8; 4], Error> {
    let mut bytes = [0; 4];
    let read = File::open(file).and_then(|mut file| match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
        read => read,
    });
    read.map_err(|cause| Error::reading(&file.display(), cause))?;
    Ok(bytes)
}

/// The absolute path of a file, so that the host finds it from any directory.
pub(crate) fn absolute(file: &Path) -> Result<PathBuf, Error> {
    let failed = |cause| Error::reading(&file.display(), cause);
    // Checked here as well, so that a missing file is reported as for other commands.
    std::fs::metadata(file).map_err(failed)?;
    std::path::absolute(file).map_err(failed)
}

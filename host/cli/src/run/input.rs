//! Where messages come from.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::stdout;

/// An input that exists but is not open yet.
pub(super) enum Named {
    Stdin,
    File { path: PathBuf, size: Option<u64> },
}

/// An open input.
pub(super) struct Input {
    /// Its name for display, and the source of its messages.
    pub(super) name: String,
    pub(super) file: File,
}

/// Checks that all inputs exist, so that a misspelt name is reported before the first message runs.
pub(super) fn check(files: &[PathBuf]) -> Result<Vec<Named>, Error> {
    if files.is_empty() {
        return Ok(vec![Named::Stdin]);
    }
    files.iter().map(|file| if file == Path::new("-") { Ok(Named::Stdin) } else { check_file(file) }).collect()
}

fn check_file(path: &Path) -> Result<Named, Error> {
    let failed = |cause| Error::reading(&path.display(), cause);
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    // Other files, such as pipes, have no meaningful size.
    let size = metadata.is_file().then_some(metadata.len());
    Ok(Named::File { path: path.into(), size })
}

impl Named {
    /// The number of bytes to come, if known.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Named::Stdin => None,
            Named::File { size, .. } => *size,
        }
    }
}

/// Whether a file is the one that stdout is.
fn is_output(file: &File) -> io::Result<bool> {
    let (ours, theirs) = (file.metadata()?, stdout::ours().metadata()?);
    Ok(ours.is_file() && (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()))
}

impl Input {
    pub(super) fn open(named: Named) -> Result<Self, Error> {
        let (name, opened) = match named {
            // Not `io::stdin()` itself, which would add its own buffer of 8 KiB.
            Named::Stdin => ("stdin".into(), io::stdin().as_fd().try_clone_to_owned().map(File::from)),
            Named::File { path, .. } => (path.display().to_string(), File::open(&path)),
        };
        match opened.and_then(|file| is_output(&file).map(|is_output| (file, is_output))) {
            Ok((file, false)) => Ok(Input { name, file }),
            Ok((_, true)) => {
                let why = "stdout writes to it too, so it would grow for ever";
                Err(Error::reading(&name, io::Error::new(io::ErrorKind::InvalidInput, why)))
            }
            Err(cause) => Err(Error::reading(&name, cause)),
        }
    }
}

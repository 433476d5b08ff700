//! The drop-in directory: packages placed in it are installed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookrail_model::command::{ImportResult, Installed};
use hookrail_model::error::{ApiMisuse, Error as HostError};
use hookrail_model::log;
use hookrail_package::{PackageError, signature_of};
use hookrail_store::Install;

use super::{Swap, Verbs};
use crate::error::Error;

/// How long a package must have been unchanged before it is refused: until then it, or its signature, may still be on
/// its way.
const SETTLED: Duration = Duration::from_secs(10);

impl Verbs<'_> {
    pub(crate) fn import_incoming(self) -> Result<Vec<ImportResult>, Error> {
        let directory = self.attached.store.incoming();
        let mut files = match packages(&directory) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::system(format!("read {}", directory.display()), source)),
        };
        self.attached.store.home().check(&directory)?;
        files.sort();
        let mut taken = Vec::new();
        for file in files {
            let found = identity(&file);
            match self.install(&file, None, Install::new(), Swap { fresh: false, wait_ms: Some(0) }) {
                Ok(Installed { installation, .. }) => {
                    // Another file may have taken its place meanwhile.
                    if identity(&file) == found {
                        remove(&file);
                    }
                    taken.push(ImportResult::installed(file, installation));
                }
                Err(Error::PackageRejected { why: PackageError::HomeInUse { .. }, .. }) => break,
                // Not the package's fault: its plugin is being stopped, for instance.
                Err(
                    error @ Error::Host(HostError::ApiMisuse(
                        ApiMisuse::Busy { .. } | ApiMisuse::Closing | ApiMisuse::Status { .. },
                    )),
                ) => taken.push(ImportResult::waiting(file, error.problem())),
                Err(error) if !is_settled(&file) => taken.push(ImportResult::waiting(file, error.problem())),
                Err(error) => {
                    refuse(&directory, &file, &error);
                    taken.push(ImportResult::refused(file, error.problem()));
                }
            }
        }
        Ok(taken)
    }
}

fn packages(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let is_package = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().as_encoded_bytes();
        name.ends_with(b".hrp") && !name.starts_with(b".")
    };
    let files = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    files.filter(|file| file.as_ref().map_or(true, is_package)).collect()
}

/// Whether neither the package nor its signature has been written to for a while.
fn is_settled(file: &Path) -> bool {
    let age = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok()?.elapsed().ok();
    [file, &signature_of(file)].into_iter().filter_map(age).all(|age| age > SETTLED)
}

/// Distinguishes a file from another one under its name, and from itself with other contents.
fn identity(file: &Path) -> Option<(u64, u64, i64, i64)> {
    let metadata = file.metadata().ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

fn remove(file: &Path) {
    for file in [file.to_owned(), signature_of(file)] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log!(warn, file = %file.display(), %error, "cannot remove what was installed");
            }
            _ => {}
        }
    }
}

/// Moves a refused package to where it is not looked for. If that fails, it stays and is refused again.
fn refuse(directory: &Path, file: &Path, error: &Error) {
    let refused = directory.join("refused");
    let place = refused.join(file.file_name().unwrap_or_default());
    let reason = format!("error[{}]: {error}\n  fix: {}\n", error.code(), error.fix());
    let moved = fs::create_dir_all(&refused)
        .and_then(|()| fs::write(place.with_added_extension("why"), reason))
        .and_then(|()| fs::rename(file, &place));
    match moved {
        Ok(()) => {
            // It may have no signature.
            let _ = fs::rename(signature_of(file), signature_of(&place));
        }
        Err(error) => log!(warn, file = %file.display(), %error, "cannot move what was refused"),
    }
}

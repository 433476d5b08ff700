//! Staging: a package that was checked is kept ready for a while, without being installed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hookrail_model::installed::Installation;
use hookrail_package::{UNFINISHED, signature_of};

use crate::change::{Change, agree};
use crate::collect::STAGED;
use crate::error::{Error, failed};
use crate::install::Install;
use crate::store::Store;
use crate::unpack::make;

impl Store {
    /// The path of the staged package of a `NAME-VERSION`, if there is one that has not expired.
    pub fn find_staged(&self, full_name: &str) -> Option<PathBuf> {
        let is_plain = !full_name.contains('/');
        let file = self.staged().join(format!("{full_name}.hrp"));
        let is_in_time = |file: &PathBuf| {
            let modified = file.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < STAGED))
        };
        Some(file).filter(|file| is_plain && file.is_file() && is_in_time(file))
    }
}

impl Change<'_> {
    /// Checks a package as if to install it, discards the unpacked files, and keeps the package for an hour; returns
    /// its path.
    ///
    /// # Errors
    /// As for [`install`](Self::install).
    pub fn stage(&mut self, file: impl AsRef<Path>) -> Result<(Installation, PathBuf), Error> {
        let staged = self.store.staged();
        if !staged.exists() {
            make(&staged, 0o700)?;
        }
        let copy = staged.join(format!("{UNFINISHED}package"));
        let checked = self.stage_as(file.as_ref(), &copy);
        for left_over in [signature_of(&copy), copy] {
            let _ = fs::remove_file(left_over);
        }
        if checked.is_err() {
            let _ = fs::remove_dir(staged);
        }
        checked
    }

    fn stage_as(&mut self, file: &Path, copy: &Path) -> Result<(Installation, PathBuf), Error> {
        // A staged package has always been checked: the copy is checked, not the original.
        fs::copy(file, copy).map_err(failed("read", file))?;
        match fs::copy(signature_of(file), signature_of(copy)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("read", &signature_of(file))(error));
            }
            _ => {}
        }
        let installation = self.install(copy, Install::new().dry_run(), agree)?;
        let place = self.store.staged().join(format!("{}.hrp", installation.metadata.full_name()));
        match fs::rename(signature_of(copy), signature_of(&place)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("write", &place)(error)),
            _ => {}
        }
        fs::rename(copy, &place).map_err(failed("write", &place))?;
        Ok((installation, place))
    }
}

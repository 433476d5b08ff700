//! The library of an installed plugin, on its way to a host.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use semver::Version;

use super::examine::examine;
use super::list::Depth;
use super::{Store, failed};
use crate::error::Error;
use crate::library::sealed_copy;
use crate::package::{Digest, Hashing, Rejected, Trust};

/// The library of an installed plugin for this machine.
#[derive(Clone, Debug)]
pub struct Library {
    /// The plugin's version.
    pub version: Version,
    /// Where it lies.
    pub path: PathBuf,
    /// What its SHA-256 has to be.
    pub sha256: Digest,
}

impl Store {
    /// The library of a plugin for this machine. Refuses what works here no more, and what nobody vouches
    /// for any more; enabled or not is the caller's business.
    pub fn library(&self, name: &str) -> Result<Library, Error> {
        let state = self.state()?;
        let (_, version, installed) = state.installed(name)?;
        // Of the files only one is needed, and `open` looks at it.
        let metadata = examine(self, &Trust::read(self.home())?, name, version, installed, Depth::Metadata)?;
        let place = self.place(name, version);
        let build =
            metadata.fits_here().map_err(|why| Error::PackageRejected { package: place.display().to_string(), why })?;
        let file = metadata.files.iter().find(|file| file.path == build.library);
        let sha256 = file.expect("metadata that was read names its libraries").sha256;
        Ok(Library { version: version.clone(), path: place.join(build.library.as_str()), sha256 })
    }
}

impl Library {
    /// A copy of it in memory that nobody can change any more, and that is what was installed: the copy
    /// was hashed, not the file.
    pub fn open(&self) -> Result<OwnedFd, Error> {
        let copy = File::from(sealed_copy(&self.path)?);
        let mut bytes = Hashing::new(&copy);
        // Copies are made by writing: what was written last is where reading would begin.
        io::Seek::rewind(&mut &copy).map_err(failed("read", &self.path))?;
        io::copy(&mut bytes, &mut io::sink()).map_err(failed("read", &self.path))?;
        let found = bytes.digest();
        if found == self.sha256 {
            return Ok(copy.into());
        }
        let package = self.path.display().to_string();
        Err(Error::PackageRejected { package, why: Rejected::digest("it", self.sha256, found) })
    }
}

//! Installing: one private copy of a package is hashed, verified, parsed and unpacked.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use hookrail_model::installed::{Allowance, Installation, TrustSource};
use hookrail_model::package::{Digest, Metadata};
use hookrail_package::{Hashing, Package, PackageError, Trust, UNFINISHED, digest, fits_here, now, open_file};
use semver::Version;

use crate::change::Change;
use crate::error::{Error, StoreError, failed, refused};
use crate::library::LoadSpec;
use crate::requires::Among;
use crate::state::{InstalledPlugin, InstalledVersion, State};
use crate::unpack::{make, sync, unpack};

/// The options of an installation.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Install {
    /// Whether it may install an older version than one installed before.
    pub downgrade: bool,
    /// Whether to check everything and install nothing.
    pub dry_run: bool,
}

impl Install {
    /// Not if a newer version was installed before.
    pub const fn new() -> Self {
        Install { downgrade: false, dry_run: false }
    }

    /// Even if a newer version was installed before.
    #[must_use]
    pub const fn downgrade(mut self) -> Self {
        self.downgrade = true;
        self
    }

    /// Checks everything and installs nothing.
    #[must_use]
    pub const fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}

impl Change<'_> {
    /// Installs a package. The plugin is disabled, unless another version of it was enabled. A host that uses the
    /// previous version may refuse the new one through `agree`, in a dry run too. After a failure everything is as
    /// before.
    ///
    /// # Errors
    /// If the package is not valid, not trusted or does not work here, `agree` refuses, or writing fails.
    pub fn install<E: From<Error>>(
        &mut self,
        file: impl AsRef<Path>,
        how: Install,
        agree: impl FnOnce(&LoadSpec) -> Result<(), E>,
    ) -> Result<Installation, E> {
        let installed = self.install_or_leave(file.as_ref(), how, agree);
        // No state names what was created on the way.
        self.collect();
        installed
    }

    fn install_or_leave<E: From<Error>>(
        &mut self,
        file: &Path,
        how: Install,
        agree: impl FnOnce(&LoadSpec) -> Result<(), E>,
    ) -> Result<Installation, E> {
        let (copy, sha256) = self.copy(file)?;
        let (mut package, by) = self.trusted_by(copy, sha256, file)?;
        let metadata = package.metadata().clone();
        fits_here(&metadata).map_err(|why| Error::PackageRejected { package: file.display().to_string(), why })?;
        let json = digest(&metadata.write());
        let installed =
            InstalledVersion { package: sha256, metadata: json, trusted_by: by.clone(), installed_at: now() };
        let (state, replaces) = self.planned(&metadata, installed, how)?;
        let unfinished = self.unpack(&mut package, file)?;
        let enabled = state.settings(&metadata.name).enabled;
        if enabled {
            self.fits_in(&unfinished, &metadata)?;
            self.has_what_it_needs(&metadata)?;
            self.is_not_needed(&metadata.name, Among::Enabled, Some(&metadata.version))?;
        }
        let mut installation = Installation::new(metadata, sha256, by);
        (installation.replaces, installation.enabled) = (replaces, enabled);
        installation.dry_run = how.dry_run;
        let metadata = &installation.metadata;
        if how.dry_run {
            agree(&self.store.load_spec_at(&unfinished, &state, metadata)?)?;
        } else {
            self.put(&unfinished, metadata)?;
            agree(&self.store.load_spec_of(&state, metadata)?)?;
            self.write(state)?;
        }
        Ok(installation)
    }

    /// A copy of the package on disk without a name, so that no other process can reach it.
    fn copy(&self, file: &Path) -> Result<(File, Digest), Error> {
        let mut from = open_file(file)?;
        let metadata = from.metadata().map_err(failed("read", file))?;
        // Whatever has no chance is not copied.
        if self.state.allowances().next().is_none() {
            let trust = Trust::read(self.store.home())?;
            trust.claimed(file).map_err(|error| untrusted(error.into(), &mut from, file))?;
        }
        let home = self.store.home().path();
        let copy = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(home);
        let (mut copy, name) = copy.map_err(failed("write into", home))?.into_parts();
        name.close().map_err(failed("write into", home))?;
        // Limited to the current length, in case the file is growing.
        let mut bytes = Hashing::new(from.take(metadata.len()));
        io::copy(&mut bytes, &mut copy).map_err(failed("copy", file))?;
        Ok((copy, bytes.digest()))
    }

    /// Opens the copy if it is trusted: nothing of it is parsed before.
    fn trusted_by(&self, mut copy: File, sha256: Digest, file: &Path) -> Result<(Package, TrustSource), Error> {
        let allowance = self.state.allowances().find(|allowed| allowed.sha256 == sha256);
        let signed = match Trust::read(self.store.home())?.verify(&mut copy, file) {
            Err(error) if allowance.is_none() => return Err(untrusted(error.into(), &mut copy, file)),
            signed => signed.map_err(Error::from),
        };
        let package = Package::read(copy, file)?;
        let metadata = package.metadata();
        let is_allowed = allowance
            .is_some_and(|Allowance { plugin, version, .. }| *plugin == metadata.name && *version == metadata.version);
        let by = signed.and_then(|signed| {
            let (id, name) = (signed.key.id(), signed.name);
            match self.state.plugins.get(&metadata.name).and_then(|plugin| plugin.owner) {
                Some(owner) if owner != id => {
                    let why = StoreError::ForeignName { key: format!("{id} ({name})"), owner: owner.to_string() };
                    Err(refused(&metadata.name, why))
                }
                _ => Ok(TrustSource::key(id, name)),
            }
        });
        match by {
            Err(_) if is_allowed => Ok((package, TrustSource::Allowed)),
            by => by.map(|by| (package, by)),
        }
    }

    /// The state after the installation, and the version that is replaced.
    fn planned(
        &self,
        metadata: &Metadata,
        installed: InstalledVersion,
        how: Install,
    ) -> Result<(State, Option<Version>), Error> {
        let Metadata { name, version, .. } = metadata;
        if self.store.bundled(&self.state, name).is_some() {
            return Err(refused(name, StoreError::Prebuilt));
        }
        let mut state = self.state.clone();
        let plugin = state.plugins.entry(name.clone()).or_insert_with(|| InstalledPlugin::new(version.clone()));
        if plugin.versions.contains_key(version) {
            let is_current = plugin.current.as_ref() == Some(version);
            let version = version.to_string();
            return Err(refused(name, StoreError::AlreadyInstalled { version, is_current }));
        }
        if *version < plugin.newest && !how.downgrade {
            let (version, newest) = (version.to_string(), plugin.newest.to_string());
            return Err(refused(name, StoreError::Downgrade { version, newest }));
        }
        match installed.trusted_by {
            // An allowance is used up.
            TrustSource::Allowed => state.allowances.retain(|allowed| allowed.sha256 != installed.package),
            TrustSource::Key { id, .. } => _ = plugin.owner.get_or_insert(id),
            // No package is installed for another reason.
            _ => {}
        }
        plugin.newest = plugin.newest.clone().max(version.clone());
        // INVARIANT: it differs from the version before it, and both are installed.
        plugin.previous = plugin.current.replace(version.clone());
        plugin.versions.insert(version.clone(), installed);
        let InstalledPlugin { current, previous, versions, .. } = plugin;
        versions.retain(|version, _| [&*current, &*previous].contains(&&Some(version.clone())));
        let replaces = plugin.previous.clone();
        Ok((state, replaces))
    }

    /// Unpacks into a directory beside the final one.
    fn unpack(&self, package: &mut Package, file: &Path) -> Result<PathBuf, Error> {
        let directory = self.store.directory();
        if !directory.exists() {
            make(&directory, 0o700)?;
        }
        let unfinished = directory.join(format!("{UNFINISHED}{}", package.metadata().full_name()));
        unpack(package, &unfinished, file)?;
        Ok(unfinished)
    }

    /// Moves the unpacked files to their final place.
    fn put(&self, unfinished: &Path, metadata: &Metadata) -> Result<(), Error> {
        let place = self.store.place(&metadata.name, &metadata.version);
        let directory = self.store.directory();
        let plugin = directory.join(&metadata.name);
        if !plugin.exists() {
            make(&plugin, 0o755)?;
        }
        fs::rename(unfinished, &place).map_err(failed("write", &place))?;
        [&plugin, &directory, self.store.home().path()].into_iter().try_for_each(sync)
    }
}

/// Why a file is not installed: the error, unless it is no package at all.
fn untrusted(error: Error, content: &mut File, file: &Path) -> Error {
    if !is_library(content) {
        return error;
    }
    let why = "it is a library; `hookrail pack` makes a package of it, `hookrail plugin load` takes it as it is";
    Error::PackageRejected { package: file.display().to_string(), why: PackageError::Archive(why.into()) }
}

/// Whether the file begins as libraries do.
fn is_library(file: &mut File) -> bool {
    let mut first = [0; 4];
    file.rewind().and_then(|()| file.read_exact(&mut first)).is_ok() && first == *b"\x7fELF"
}

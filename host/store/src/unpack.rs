//! From a package to synced files.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hookrail_model::package::Metadata;
use hookrail_package::{Package, PackageError, check_library};

use crate::error::{Error, failed};
use crate::store::METADATA;

/// Unpacks a package into a new directory, checks its libraries, and syncs everything. On failure the directory
/// remains, to be collected later. Errors name the package `path`.
pub(super) fn unpack(package: &mut Package, directory: &Path, path: &Path) -> Result<(), Error> {
    let metadata = package.metadata().clone();
    let mut directories = Directories { root: directory.into(), made: BTreeSet::new() };
    directories.make(directory)?;
    write_metadata(&metadata, directory, path)?;
    package.unpack::<Error>(&mut |unpacked| {
        let place = directory.join(unpacked.file.path.as_str());
        directories.make(place.parent().expect("it lies in a directory"))?;
        let file = create(&place, if unpacked.is_executable { 0o755 } else { 0o644 });
        let written = file.and_then(|mut file| {
            io::copy(unpacked.bytes, &mut file)?;
            file.sync_all().map(|()| file)
        });
        let file = written.map_err(failed("write", &place))?;
        match metadata.targets.iter().find(|build| build.library == unpacked.file.path) {
            Some(build) => Ok(check_library(&metadata, build, file.as_fd(), path)?),
            None => Ok(()),
        }
    })?;
    // The names in a directory are on disk once the directory is synced.
    directories.made.iter().try_for_each(|directory| sync(directory))
}

fn write_metadata(metadata: &Metadata, directory: &Path, path: &Path) -> Result<(), Error> {
    let of_that_name = metadata.files.iter().map(|file| file.path.as_str());
    let taken = |name: &str| name.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(METADATA));
    if let Some(taken) = of_that_name.into_iter().find(|name| taken(name)) {
        let why = PackageError::member(taken, "that is where its metadata is put");
        return Err(Error::PackageRejected { package: path.display().to_string(), why });
    }
    let place = directory.join(METADATA);
    let written = create(&place, 0o644).and_then(|mut file| {
        file.write_all(&metadata.write())?;
        file.sync_all()
    });
    written.map_err(failed("write", &place))
}

/// The directories that were created.
struct Directories {
    root: PathBuf,
    made: BTreeSet<PathBuf>,
}

impl Directories {
    /// Creates a directory and its missing parents, up to the root.
    fn make(&mut self, directory: &Path) -> Result<(), Error> {
        let missing = |directory: &&Path| directory.starts_with(&self.root) && !self.made.contains(*directory);
        let missing: Vec<PathBuf> = directory.ancestors().filter(missing).map(Path::to_owned).collect();
        // The outermost first.
        for directory in missing.into_iter().rev() {
            make(&directory, 0o755)?;
            self.made.insert(directory);
        }
        Ok(())
    }
}

/// Creates a directory with exactly this mode, whatever the umask.
pub(super) fn make(directory: &Path, mode: u32) -> Result<(), Error> {
    let made = DirBuilder::new().mode(mode).create(directory);
    let made = made.and_then(|()| fs::set_permissions(directory, Permissions::from_mode(mode)));
    made.map_err(failed("make the directory", directory))
}

/// Creates a new file with exactly this mode, whatever the umask.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    // Readable too: a library is read back from it.
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// Syncs the names in a directory.
pub(super) fn sync(directory: &Path) -> Result<(), Error> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed("write", directory))
}

//! From a package to files that are on the disk.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hookrail_model::package::Metadata;
use hookrail_package::{Package, Rejected, check_library};

use crate::error::{Error, failed};
use crate::store::METADATA;

/// Unpacks a package into a folder that is not there yet, checks its libraries, and has all of it on the
/// disk. Of a failure the folder remains, for whoever collects. Errors call the package `path`.
pub(super) fn unpack(package: &mut Package, folder: &Path, path: &Path) -> Result<(), Error> {
    let metadata = package.metadata().clone();
    let mut folders = Folders { root: folder.into(), made: BTreeSet::new() };
    folders.make(folder)?;
    write_metadata(&metadata, folder, path)?;
    package.unpack::<Error>(&mut |unpacked| {
        let place = folder.join(unpacked.file.path.as_str());
        folders.make(place.parent().expect("it lies in a folder"))?;
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
    // The names of what lies in a folder are on the disk when the folder is.
    folders.made.iter().try_for_each(|folder| sync(folder))
}

fn write_metadata(metadata: &Metadata, folder: &Path, path: &Path) -> Result<(), Error> {
    let of_that_name = metadata.files.iter().map(|file| file.path.as_str());
    let taken = |name: &str| name.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(METADATA));
    if let Some(taken) = of_that_name.into_iter().find(|name| taken(name)) {
        let why = Rejected::Member { path: taken.into(), why: "that is where its metadata is put".into() };
        return Err(Error::PackageRejected { package: path.display().to_string(), why });
    }
    let place = folder.join(METADATA);
    let written = create(&place, 0o644).and_then(|mut file| {
        file.write_all(&metadata.write())?;
        file.sync_all()
    });
    written.map_err(failed("write", &place))
}

/// The folders that were made.
struct Folders {
    root: PathBuf,
    made: BTreeSet<PathBuf>,
}

impl Folders {
    /// Makes a folder and those above it, up to the root.
    fn make(&mut self, folder: &Path) -> Result<(), Error> {
        let missing = |folder: &&Path| folder.starts_with(&self.root) && !self.made.contains(*folder);
        let missing: Vec<PathBuf> = folder.ancestors().filter(missing).map(Path::to_owned).collect();
        // The outermost first.
        for folder in missing.into_iter().rev() {
            make(&folder, 0o755)?;
            self.made.insert(folder);
        }
        Ok(())
    }
}

/// Makes a folder, whatever the umask.
pub(super) fn make(folder: &Path, mode: u32) -> Result<(), Error> {
    let made = DirBuilder::new().mode(mode).create(folder);
    let made = made.and_then(|()| fs::set_permissions(folder, Permissions::from_mode(mode)));
    made.map_err(failed("make the folder", folder))
}

/// Makes a file that was not there, whatever the umask.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    // Readable too: a library is read back from it.
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// Has the names in a folder on the disk.
pub(super) fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write", folder))
}

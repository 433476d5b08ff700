//! Whether installed files are unchanged, and still trusted.

use hookrail_package::regular::{self, MAX_FILE};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hookrail_model::installed::TrustSource;
use hookrail_model::package::{Digest, Metadata};
use hookrail_package::{PackageError, Trust, digest, digest_of_file};
use semver::Version;

use crate::error::{Error, failed};
use crate::state::InstalledVersion;
use crate::store::{METADATA, Store};

/// How thoroughly installed plugins are examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Depth {
    /// All files are compared with their digests.
    Files,
    /// Only the metadata, which is fast even for a thousand plugins.
    Metadata,
}

/// The metadata of a version, if it is what was installed and what made it trusted still does.
pub(super) fn examine(
    store: &Store,
    trust: &Trust,
    name: &str,
    version: &Version,
    installed: &InstalledVersion,
    depth: Depth,
) -> Result<Metadata, Error> {
    let place = store.place(name, version);
    let rejected = |why| rejected(&place, why);
    if let TrustSource::Key { id, .. } = &installed.trusted_by {
        trust.find(*id).map_err(rejected)?;
    }
    let path = place.join(METADATA);
    let bytes = regular::read(&path, MAX_FILE).map_err(failed("read", &path))?;
    let metadata = Metadata::read(&bytes).map_err(|why| rejected(PackageError::Metadata(why.to_string())))?;
    let found = digest(&bytes);
    if found != installed.metadata {
        return Err(rejected(PackageError::digest(METADATA, installed.metadata, found)));
    }
    if depth == Depth::Files {
        let mut missing: BTreeMap<_, _> = metadata.files.iter().map(|file| (file.path.as_str(), file.sha256)).collect();
        missing.insert(METADATA, found);
        files(&place, "", &mut missing)?;
        if let Some((path, said)) = missing.first_key_value() {
            return Err(rejected(PackageError::differs(*path, format!("SHA-256 {said}"), "gone")));
        }
    }
    Ok(metadata)
}

/// Compares everything below a directory of a version; files that are found are removed from `missing`.
fn files(place: &Path, below: &str, missing: &mut BTreeMap<&str, Digest>) -> Result<(), Error> {
    let directory = place.join(below);
    for entry in fs::read_dir(&directory).map_err(failed("read", &directory))? {
        let entry = entry.map_err(failed("read", &directory))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let file = entry.path();
        let kind = entry.file_type().map_err(failed("read", &file))?;
        if kind.is_dir() {
            files(place, &path, missing)?;
            continue;
        }
        let Some(said) = missing.remove(&*path).filter(|_| kind.is_file()) else {
            return Err(rejected(place, PackageError::Files(format!("has no {path} of this kind"))));
        };
        let found = digest_of_file(&file).map_err(failed("read", &file))?;
        if found != said {
            return Err(rejected(place, PackageError::digest(path, said, found)));
        }
    }
    Ok(())
}

fn rejected(place: &Path, why: PackageError) -> Error {
    Error::PackageRejected { package: place.display().to_string(), why }
}

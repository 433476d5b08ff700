//! Whether installed files are unchanged, and still trusted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use hookrail_model::installed::TrustSource;
use hookrail_model::package::{Digest, Metadata};
use hookrail_package::{Hashing, PackageError, Trust, digest};
use semver::Version;

use crate::error::{Error, failed};
use crate::state::Installed;
use crate::store::{METADATA, Store};

/// How thoroughly installed plugins are examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    installed: &Installed,
    depth: Depth,
) -> Result<Metadata, Error> {
    let place = store.place(name, version);
    let rejected = |why| Error::PackageRejected { package: place.display().to_string(), why };
    if let TrustSource::Key { id, .. } = &installed.by {
        trust.find(*id).map_err(rejected)?;
    }
    let path = place.join(METADATA);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    let metadata = Metadata::read(&bytes).map_err(|why| rejected(PackageError::Metadata(why)))?;
    let found = digest(&bytes);
    if found != installed.metadata {
        return Err(rejected(PackageError::digest(METADATA, installed.metadata, found)));
    }
    if depth == Depth::Files {
        let mut missing: BTreeMap<_, _> = metadata.files.iter().map(|file| (file.path.as_str(), file.sha256)).collect();
        missing.insert(METADATA, found);
        files(&place, "", &mut missing).map_err(failed("read", &place))?.map_err(rejected)?;
        if let Some((path, said)) = missing.first_key_value() {
            let (what, said) = (format!("the SHA-256 of {path}"), said.to_string());
            return Err(rejected(PackageError::Differs {
                what,
                said,
                found: "that of nothing, since it is gone".into(),
            }));
        }
    }
    Ok(metadata)
}

/// Compares everything below a directory; files that are found are removed from `missing`.
fn files(place: &Path, below: &str, missing: &mut BTreeMap<&str, Digest>) -> io::Result<Result<(), PackageError>> {
    for entry in fs::read_dir(place.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if let Err(why) = files(place, &path, missing)? {
                return Ok(Err(why));
            }
            continue;
        }
        let Some(said) = missing.remove(&*path).filter(|_| kind.is_file()) else {
            return Ok(Err(PackageError::Files(format!("did not hold {path} as it is there now"))));
        };
        let mut bytes = Hashing::new(File::open(entry.path())?);
        io::copy(&mut bytes, &mut io::sink())?;
        let found = bytes.digest();
        if found != said {
            return Ok(Err(PackageError::digest(path, said, found)));
        }
    }
    Ok(Ok(()))
}

//! How the manifest of a new plugin names a directory: by a relative path, since it goes to other machines.

use std::io;
use std::path::{Component, Path, PathBuf};

/// The path that a directory has or will have, without links.
pub(super) fn resolved(directory: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(directory)?;
    let there = absolute.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(&absolute);
    let rest = absolute.strip_prefix(there).unwrap_or(Path::new(""));
    Ok(there.canonicalize()?.components().chain(rest.components()).collect())
}

/// The way from one directory to another, both without links.
pub(super) fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

/// Whether a clone of the repository that the directory is in has that one too.
pub(super) fn is_cloned_with(directory: &Path, other: &Path) -> bool {
    let repository = directory.ancestors().find(|ancestor| ancestor.join(".git").exists());
    repository.is_some_and(|repository| other.starts_with(repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_another_directory_has_no_more_steps_than_it_needs() {
        for (from, to, way) in [
            ("/a/new", "/a/abi", "../abi"),
            ("/a/b/new", "/a/abi", "../../abi"),
            ("/a", "/a/b/abi", "b/abi"),
            ("/a/bc", "/a/b", "../b"),
        ] {
            assert_eq!(relative(from.as_ref(), to.as_ref()), Path::new(way), "{from} to {to}");
        }
    }
}

//! The source files of a plugin, as they are now.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cargo::Package;
use crate::watch::{self, Stamp};

/// The sources of a plugin, each with its stamp when it was last looked at.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<PathBuf, Stamp>);

impl Sources {
    /// These files, and those in `read`, as they are now.
    pub(super) fn of(mut files: BTreeSet<PathBuf>, read: &BTreeSet<PathBuf>) -> Self {
        files.extend(read.iter().cloned());
        Sources(files.into_iter().map(|file| (file.clone(), Stamp::of(&file))).collect())
    }

    /// Replaces the files in `before` with those in `read`, which a build that began at `began` has read. They were
    /// unknown when the build began, so what was written since counts as changed.
    pub(super) fn count(&mut self, before: &BTreeSet<PathBuf>, read: &BTreeSet<PathBuf>, began: SystemTime) {
        self.0.retain(|file, _| read.contains(file) || !before.contains(file));
        for file in read {
            let stamp = || {
                let stamp = Stamp::of(file);
                if stamp.is_later_than(began) { Stamp::ABSENT } else { stamp }
            };
            self.0.entry(file.clone()).or_insert_with(stamp);
        }
    }

    /// The directories in which a change of the sources is visible.
    pub(super) fn directories(&self) -> BTreeSet<PathBuf> {
        self.0.keys().flat_map(|file| watch::directories_of(file)).collect()
    }
}

/// The files of the package and of its path dependencies. Excludes everything that cargo generates.
pub(super) fn of_package(package: &Package) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for directory in [&package.directory].into_iter().chain(&package.beside) {
        files.extend(["Cargo.toml", "build.rs"].map(|name| directory.join(name)));
        collect(&directory.join("src"), &mut files);
    }
    files.insert(package.workspace.join("Cargo.toml"));
    files.retain(|file| !file.starts_with(&package.target));
    files
}

/// The files that the compiler read for a library according to its dep-info, such as files of more distant packages or
/// of `include_str!`. Excludes everything that cargo generates.
pub(super) fn read_for(package: &Package, library: &Path) -> BTreeSet<PathBuf> {
    let rules = fs::read_to_string(library.with_extension("d")).unwrap_or_default();
    prerequisites(&rules).into_iter().filter(|file| !file.starts_with(&package.target)).collect()
}

/// All files below a directory.
pub(super) fn collect(directory: &Path, into: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        // Hidden files, such as editors keep beside an open file.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, into);
        } else {
            into.insert(path);
        }
    }
}

/// The files that the rules of a dep-info file name: `made: one two`, with `\ ` for a space.
fn prerequisites(rules: &str) -> Vec<PathBuf> {
    let lines = rules.lines().filter_map(|line| line.split_once(": "));
    let words = lines.flat_map(|(_, files)| {
        let files = files.replace("\\ ", "\0");
        files.split_whitespace().map(|file| PathBuf::from(file.replace('\0', " "))).collect::<Vec<_>>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_unknown_file_counts_as_changed() {
        let file = std::env::temp_dir().join(format!("hookrail-sources-{}", std::process::id()));
        fs::write(&file, "x").unwrap();
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        let read = BTreeSet::from([file.clone()]);
        let is_changed = |began| {
            let mut sources = Sources(BTreeMap::new());
            sources.count(&BTreeSet::new(), &read, began);
            sources.0[&file] != Stamp::of(&file)
        };
        assert!(is_changed(written - Duration::from_secs(1)));
        assert!(!is_changed(written + Duration::from_secs(1)));
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_name_with_a_space_is_one_name() {
        let files = prerequisites("/t/lib x.so: /a/src/lib.rs /a/with\\ space.txt\n\n/a/src/lib.rs:\n");
        assert_eq!(files, [Path::new("/a/src/lib.rs"), Path::new("/a/with space.txt")]);
    }
}

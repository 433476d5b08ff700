//! A crate that plugins depend on: its name, its source, and where it gets `hookrail-abi` from.

use std::path::{Path, PathBuf};

use super::{Dependency, described};
use crate::error::Error;

/// A crate with a library that others link.
pub(crate) struct Library {
    /// As a manifest names it.
    pub(crate) name: String,
    /// As code names it.
    pub(crate) in_rust: String,
    pub(crate) directory: PathBuf,
    /// The file of its root module.
    pub(crate) root: PathBuf,
    /// Its dependency on `hookrail-abi`.
    pub(crate) abi: Dependency,
}

impl Library {
    /// The crate in a directory.
    pub(crate) fn of(directory: &Path) -> Result<Self, Error> {
        let (directory, package) = described(directory)?.package()?;
        let not = |why: &str| Error::NotAPackage { directory: directory.clone(), why: why.into() };
        let is_linked = |kind: &String| matches!(&**kind, "lib" | "rlib");
        let library = package.targets.into_iter().find(|target| target.crate_types.iter().any(is_linked));
        let Some(library) = library else { return Err(not("it has no library that a plugin can depend on")) };
        let abi = package.dependencies.into_iter().find(|dependency| dependency.name == "hookrail-abi");
        let Some(abi) = abi else { return Err(not("it declares no hook points: it does not depend on hookrail-abi")) };
        let in_rust = library.name.replace('-', "_");
        Ok(Library { name: package.name, in_rust, root: library.src_path, abi, directory })
    }
}

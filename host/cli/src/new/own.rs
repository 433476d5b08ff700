//! A hook point of somebody's own program, which a crate declares that the program and its plugins share.

use std::path::Path;

use super::declared::{Declared, declared};
use super::place;
use crate::args::PointsCrate;
use crate::cargo::Library;
use crate::error::Error;

/// A point, and the crate that declares it.
pub(super) struct Own {
    pub(super) point: Declared,
    pub(super) library: Library,
    version: Option<String>,
}

impl Own {
    /// The point with that name. `refused` makes an error of the reason.
    pub(super) fn of(name: &str, given: &PointsCrate, refused: impl Fn(String) -> Error) -> Result<Self, Error> {
        let library = Library::of(&given.path)?;
        let mut points =
            declared(&library.root).map_err(|cause| Error::reading(&library.directory.display(), cause))?;
        let Some(at) = points.iter().position(|point| point.name == name) else {
            let names: Vec<_> = points.iter().map(|point| &*point.name).collect();
            let others = if names.is_empty() { "no points".into() } else { names.join(", ") };
            return Err(refused(format!("the crate {} declares {others}, and not {name}", library.name)));
        };
        Ok(Own { point: points.swap_remove(at), library, version: given.version.clone() })
    }

    /// What a manifest in that directory says of the crate, after its name.
    pub(super) fn dependency(&self, directory: &Path) -> String {
        match &self.version {
            Some(version) => format!("{version:?}"),
            None => path(directory, &self.library.directory),
        }
    }

    /// What it says of `hookrail-abi`: the same as the crate does, since two copies of it would not fit together.
    pub(super) fn abi(&self, directory: &Path) -> String {
        let abi = &self.library.abi;
        match (&abi.path, abi.source.as_deref().and_then(|source| source.strip_prefix("git+"))) {
            (Some(at), _) => path(directory, at),
            (None, Some(git)) => {
                let (address, chosen) = git.split_once('?').unwrap_or((git, ""));
                let chosen = chosen.split_once('=').map(|(key, value)| format!(", {key} = {value:?}"));
                format!("{{ git = {address:?}{} }}", chosen.unwrap_or_default())
            }
            (None, None) => format!("{:?}", abi.req),
        }
    }

    /// The directories that its manifest names.
    pub(super) fn linked(&self) -> Vec<&Path> {
        let own = self.version.is_none().then_some(&*self.library.directory);
        own.into_iter().chain(self.library.abi.path.as_deref()).collect()
    }
}

fn path(from: &Path, to: &Path) -> String {
    format!("{{ path = {:?} }}", place::relative(from, to).display().to_string())
}

//! What is packed: a crate that cargo builds, or a directory with libraries that were built by other means.

use std::fs;
use std::path::{Path, PathBuf};

use hookrail::Note;
use serde::Deserialize;
use toml::{Table, Value};

use crate::args::Pack;
use crate::cargo::{Package, PackageInfo};
use crate::error::Error;

const CARGO: &str = "Cargo.toml";

/// The manifest of a plugin without a cargo package, with the same keys.
const OWN: &str = "hookrail-package.toml";

pub(super) struct Subject {
    pub(super) name: String,
    pub(super) directory: PathBuf,
    /// The name of the manifest file.
    pub(super) manifest: &'static str,
    pub(super) about: PackageInfo,
    /// The cargo package, if cargo builds the library.
    pub(super) package: Option<Package>,
    version: Option<String>,
}

/// The fields of `[package]` that are used.
#[derive(Deserialize)]
struct Described {
    name: String,
    version: Option<String>,
    #[serde(flatten)]
    about: PackageInfo,
}

impl Subject {
    pub(super) fn of(options: &Pack) -> Result<Self, Error> {
        let directory = &options.directory;
        let (is_crate, is_other) = (directory.join(CARGO).is_file(), directory.join(OWN).is_file());
        let refused = |why: &str| Err(Error::NotPacked { package: directory.display().to_string(), why: why.into() });
        match (options.libraries.is_empty(), is_crate, is_other) {
            (true, false, true) => refused(
                "hookrail-package.toml does not say how to build it: name what was built with --lib TARGET=FILE",
            ),
            (true, ..) => Package::of(directory).map(Self::built),
            (false, true, _) => Self::read(directory, CARGO),
            (false, false, true) => Self::read(directory, OWN),
            (false, false, false) => refused("it has neither Cargo.toml nor hookrail-package.toml"),
        }
    }

    fn built(package: Package) -> Self {
        Subject {
            name: package.name.clone(),
            directory: package.directory.clone(),
            manifest: CARGO,
            about: package.about.clone(),
            package: Some(package),
            version: None,
        }
    }

    /// Reads only the file: if libraries are given, cargo is not needed.
    fn read(directory: &Path, manifest: &'static str) -> Result<Self, Error> {
        let refused = |why: String| Error::NotPacked { package: directory.display().to_string(), why };
        let path = directory.join(manifest);
        let text = fs::read_to_string(&path).map_err(|cause| Error::reading(&path.display(), cause))?;
        let wrong = |error: toml::de::Error| refused(format!("its {manifest}: {}", error.to_string().trim_end()));
        let mut package = match toml::from_str::<Table>(&text).map_err(wrong)?.remove("package") {
            Some(Value::Table(package)) => package,
            _ => return Err(refused(format!("its {manifest} has no [package]"))),
        };
        inherit(&mut package, directory);
        let Described { name, version, about } = package.try_into().map_err(wrong)?;
        Ok(Subject { name, directory: directory.into(), manifest, about, package: None, version })
    }

    /// Refuses a library that contradicts its manifest: only the author keeps the two consistent.
    pub(super) fn is(&self, note: &Note) -> Result<(), Error> {
        let Some(version) = self.version.as_ref().filter(|_| self.manifest == OWN) else { return Ok(()) };
        if (&self.name, version) == (&note.name, &note.version) {
            return Ok(());
        }
        let said = format!("{} {version}", self.name);
        Err(self.refused(format!("{OWN} says {said}, and the library {} {}", note.name, note.version)))
    }

    pub(super) fn refused(&self, why: String) -> Error {
        Error::NotPacked { package: self.name.clone(), why }
    }
}

/// Replaces `KEY.workspace = true` with the values of the workspace.
fn inherit(package: &mut Table, directory: &Path) {
    let is_inherited = |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
    if !package.values().any(is_inherited) {
        return;
    }
    let directory = std::path::absolute(directory).unwrap_or_default();
    let of_workspace = |directory: &Path| {
        let manifest: Table = toml::from_str(&fs::read_to_string(directory.join(CARGO)).ok()?).ok()?;
        manifest.get("workspace")?.get("package")?.as_table().cloned()
    };
    let shared = directory.ancestors().find_map(of_workspace).unwrap_or_default();
    for (key, value) in package.iter_mut().filter(|(_, value)| is_inherited(value)) {
        if let Some(said) = shared.get(key) {
            *value = said.clone();
        }
    }
}

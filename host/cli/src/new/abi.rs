//! Where a new plugin finds `hookrail-abi`, which is not published yet.

use std::path::{Path, PathBuf};

use super::file::File;
use super::place;

mod carried {
    //! Written by the build script.
    include!(concat!(env!("OUT_DIR"), "/carried.rs"));
}

pub(super) use carried::LOCK;

/// Where a new plugin finds `hookrail-abi`.
pub(super) enum Abi {
    /// In the sources that this program contains, which are written below the new package.
    Carried,
    /// In a checkout.
    Path(PathBuf),
    /// In a registry.
    Version(String),
}

impl Abi {
    /// The requested one. The sources that the program contains are the default: every clone of the plugin has them.
    pub(super) fn of(wish: &str) -> Result<Self, String> {
        match wish {
            "carried" => Ok(Abi::Carried),
            text if text.starts_with(|first: char| first.is_ascii_digit()) => Ok(Abi::Version(text.into())),
            text => match Path::new(text).canonicalize() {
                Ok(path) if is_abi(&path) => Ok(Abi::Path(path)),
                Ok(path) if is_abi(&path.join("abi")) => Ok(Abi::Path(path.join("abi"))),
                _ => Err(format!(
                    "--abi {text} is neither `carried`, a version, nor a directory with the crate hookrail-abi in it"
                )),
            },
        }
    }

    /// The value after `hookrail-abi =` in the manifest of that directory.
    pub(super) fn dependency(&self, directory: &Path) -> String {
        match self {
            Abi::Carried => "{ path = \"hookrail/abi\" }".into(),
            Abi::Path(path) => format!("{{ path = {:?} }}", place::relative(directory, path).display().to_string()),
            Abi::Version(version) => format!("{version:?}"),
        }
    }

    /// The directory that the manifest names, if it is outside of the plugin's own.
    pub(super) fn linked(&self) -> Option<&Path> {
        match self {
            Abi::Path(path) => Some(path),
            Abi::Carried | Abi::Version(_) => None,
        }
    }

    /// The files to write beside the plugin's own: a workspace of the crate and its macros, since they take their
    /// versions from a workspace.
    pub(super) fn carried(&self) -> Vec<File> {
        let Abi::Carried = self else { return Vec::new() };
        // From there to the profiles, the workspace manifest has what its members share.
        let (_, shared) = carried::MANIFEST.split_once("[workspace.package]").expect("the workspace has it");
        let (shared, _) = shared.split_once("[profile.").expect("the workspace has profiles after that");
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"abi\", \"abi/derive\"]\n\n[workspace.package]{shared}"
        );
        let sources = carried::ABI.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned()));
        let all = sources.chain([("Cargo.toml".into(), manifest)]);
        all.map(|(name, text)| (Path::new("hookrail").join(name), text)).collect()
    }

    /// The header for C.
    pub(super) fn header(&self) -> Result<String, String> {
        let own = || carried::ABI.iter().find(|(name, _)| name.ends_with("hookrail.h"));
        match self {
            Abi::Path(path) => {
                let file = path.join("include/hookrail.h");
                std::fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
            }
            Abi::Carried | Abi::Version(_) => Ok(own().expect("the build script takes it along").1.to_owned()),
        }
    }
}

fn is_abi(path: &Path) -> bool {
    path.join("Cargo.toml").is_file() && path.join("include/hookrail.h").is_file()
}

//! The cargo package of a plugin: its name and its files.

mod build;
mod library;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::Error;

pub(crate) use library::Library;

/// A package with exactly one library that can be a plugin.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    pub(crate) manifest: PathBuf,
    /// The root of its workspace; without one, its own directory.
    pub(crate) workspace: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// The directories of its path dependencies.
    pub(crate) beside: Vec<PathBuf>,
    pub(crate) about: PackageInfo,
}

/// The fields of a manifest that are shown or used.
#[derive(Clone, Deserialize)]
pub(crate) struct PackageInfo {
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    pub(crate) repository: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) metadata: Option<serde_json::Value>,
}

/// The fields of `cargo metadata` that are used.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Described>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Described {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
    #[serde(flatten)]
    about: PackageInfo,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
    src_path: PathBuf,
}

/// What a manifest says of a dependency.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    name: String,
    pub(crate) path: Option<PathBuf>,
    /// Where it comes from, if not from a path.
    pub(crate) source: Option<String>,
    /// The range of its versions.
    pub(crate) req: String,
}

/// What cargo says of a directory.
struct Directory {
    directory: PathBuf,
    metadata: Metadata,
}

/// The name of the program in messages.
const CARGO: &str = "cargo";

/// Cargo: the one that runs this program, if one does.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| CARGO.into()))
}

impl Package {
    /// The package in a directory.
    pub(crate) fn of(directory: &Path) -> Result<Self, Error> {
        let described = described(directory)?;
        let (workspace, target) =
            (described.metadata.workspace_root.clone(), described.metadata.target_directory.clone());
        let (directory, package) = described.package()?;
        if !package.is_plugin() {
            return Err(Error::NoCdylib(package.name));
        }
        Ok(Package {
            name: package.name,
            beside: package.dependencies.into_iter().filter_map(|dependency| dependency.path).collect(),
            about: package.about,
            manifest: package.manifest_path,
            workspace,
            target,
            directory,
        })
    }
}

/// Asks cargo of a directory. Cargo itself reports what is wrong with a manifest.
fn described(directory: &Path) -> Result<Directory, Error> {
    let not = |why: &str| Error::NotAPackage { directory: directory.into(), why: why.into() };
    let directory = directory.canonicalize().map_err(|error| not(&error.to_string()))?;
    let manifest = directory.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(not("it has no Cargo.toml"));
    }
    let mut command = cargo();
    command.args(["metadata", "--format-version=1", "--no-deps", "--manifest-path"]).arg(&manifest);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|cause| Error::NoBuilder { program: CARGO, cause })?;
    if !output.status.success() {
        return Err(not("cargo cannot read it"));
    }
    let metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| not(&format!("cargo's description of it cannot be read: {error}")))?;
    Ok(Directory { directory, metadata })
}

impl Directory {
    /// The package whose manifest is in the directory itself.
    fn package(self) -> Result<(PathBuf, Described), Error> {
        let Directory { directory, metadata } = self;
        let manifest = directory.join("Cargo.toml");
        let (mut own, others): (Vec<_>, Vec<_>) =
            metadata.packages.into_iter().partition(|package| package.manifest_path == manifest);
        let Some(package) = own.pop() else {
            let plugins = others.iter().filter(|package| package.is_plugin());
            let plugins = plugins.filter_map(|package| package.manifest_path.parent()).map(Path::to_owned);
            return Err(Error::Workspace { plugins: plugins.collect(), directory });
        };
        Ok((directory, package))
    }
}

impl Package {
    /// The name that `export!` gives the plugin.
    pub(crate) fn plugin(&self) -> &str {
        self.name.strip_prefix("hookrail-plugin-").unwrap_or(&self.name)
    }
}

impl Described {
    fn is_plugin(&self) -> bool {
        self.targets.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
    }
}

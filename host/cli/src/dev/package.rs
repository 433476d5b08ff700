//! The cargo package of a plugin: what it is called, and which files it is made of.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::Error;

/// A package that makes one library that can be a plugin.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) manifest: PathBuf,
    /// Where its workspace begins; without one, its own folder.
    pub(super) workspace: PathBuf,
    /// Where cargo builds.
    pub(super) target: PathBuf,
    /// The folders of the packages that it names by path.
    pub(super) beside: Vec<PathBuf>,
}

/// What `cargo metadata` says, as far as we ask.
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
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    path: Option<PathBuf>,
}

/// Cargo: the one that runs us, if one does.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl Package {
    /// The package in a folder. Cargo says itself what is wrong with a manifest.
    pub(super) fn of(folder: &Path) -> Result<Self, Error> {
        let not = |why: &str| Error::NotAPackage { folder: folder.into(), why: why.into() };
        let folder = folder.canonicalize().map_err(|error| not(&error.to_string()))?;
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(not("it has no Cargo.toml"));
        }
        let mut command = cargo();
        command.args(["metadata", "--format-version=1", "--no-deps", "--manifest-path"]).arg(&manifest);
        let output = command.stderr(Stdio::inherit()).output().map_err(Error::NoCargo)?;
        if !output.status.success() {
            return Err(not("cargo cannot read it"));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| not(&format!("cargo describes it oddly: {error}")))?;
        let Some(package) = metadata.packages.iter().find(|package| package.manifest_path == manifest) else {
            let plugins = metadata
                .packages
                .iter()
                .filter(|package| package.is_plugin())
                .filter_map(|package| package.manifest_path.parent())
                .map(Path::to_owned);
            return Err(Error::Workspace { plugins: plugins.collect(), folder });
        };
        if !package.is_plugin() {
            return Err(Error::NoCdylib(package.name.clone()));
        }
        Ok(Package {
            name: package.name.clone(),
            beside: package.dependencies.iter().filter_map(|dependency| dependency.path.clone()).collect(),
            workspace: metadata.workspace_root,
            target: metadata.target_directory,
            folder,
            manifest,
        })
    }
}

impl Package {
    /// The name that `export!` gives its plugin.
    pub(super) fn plugin(&self) -> &str {
        self.name.strip_prefix("hookrail-plugin-").unwrap_or(&self.name)
    }
}

impl Described {
    fn is_plugin(&self) -> bool {
        self.targets.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
    }
}

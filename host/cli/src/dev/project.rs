//! What is developed: a package that cargo builds, or a directory that `make` builds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::sources;
use crate::args::Dev;
use crate::built::Built;
use crate::cargo::Package;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::make::Made;

/// A plugin's source, and how it is built.
pub(super) enum Project {
    Cargo(Box<Package>),
    Make(Made),
}

impl Project {
    pub(super) fn of(directory: &Path) -> Result<Self, Error> {
        if Made::is(directory) {
            return Made::of(directory).map(Project::Make);
        }
        Package::of(directory).map(|package| Project::Cargo(package.into()))
    }

    pub(super) fn plugin(&self) -> &str {
        match self {
            Project::Cargo(package) => package.plugin(),
            Project::Make(made) => &made.plugin,
        }
    }

    pub(super) fn directory(&self) -> &Path {
        match self {
            Project::Cargo(package) => &package.directory,
            Project::Make(made) => &made.directory,
        }
    }

    /// Builds it; every step is shown if `talkative`.
    pub(super) fn build(&self, options: &Dev, talkative: bool, interrupt: &Interrupt) -> Result<Built, Error> {
        match self {
            Project::Cargo(package) => package.build(options.release, &options.more, talkative, interrupt),
            Project::Make(made) => made.build(&options.more, talkative, interrupt),
        }
    }

    /// Its source files as far as they are known before a build.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        match self {
            Project::Cargo(package) => sources::of_package(package),
            Project::Make(made) => {
                let mut files = BTreeSet::new();
                sources::collect(&made.directory, &mut files);
                files.retain(|file| Made::is_source(file));
                files
            }
        }
    }

    /// The files that the compiler read for a library, as far as it says.
    pub(super) fn read_for(&self, library: &Path) -> BTreeSet<PathBuf> {
        match self {
            Project::Cargo(package) => sources::read_for(package, library),
            Project::Make(_) => BTreeSet::new(),
        }
    }
}

//! A plugin that `make` builds, such as one in C: its name and its files.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::built::{Built, Ended, run};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::stderr::Stderr;

/// The manifest beside the Makefile.
const MANIFEST: &str = "hookrail-package.toml";

/// The names under which `make` finds its rules.
const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// The endings of files that people write.
const WRITTEN: [&str; 10] = ["S", "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "mk"];

/// A directory with a Makefile whose first target is the library of a plugin.
pub(crate) struct Made {
    pub(crate) plugin: String,
    pub(crate) directory: PathBuf,
}

/// The fields of the manifest that are used.
#[derive(Deserialize)]
struct Manifest {
    package: Described,
}

#[derive(Deserialize)]
struct Described {
    name: String,
}

impl Made {
    /// Whether `make` builds what is in the directory, and cargo does not.
    pub(crate) fn is(directory: &Path) -> bool {
        !directory.join("Cargo.toml").exists() && MAKEFILES.iter().any(|name| directory.join(name).is_file())
    }

    /// The plugin in a directory with a Makefile.
    pub(crate) fn of(directory: &Path) -> Result<Self, Error> {
        let not = |why: String| Error::NotAPackage { directory: directory.into(), why };
        let directory = directory.canonicalize().map_err(|error| not(error.to_string()))?;
        let manifest = fs::read_to_string(directory.join(MANIFEST))
            .map_err(|error| not(format!("beside its Makefile, {MANIFEST} cannot be read: {error}")))?;
        let manifest: Manifest =
            toml::from_str(&manifest).map_err(|error| not(format!("its {MANIFEST}: {}", error.message())))?;
        Ok(Made { plugin: manifest.package.name, directory })
    }

    /// Builds it. `make` shows its commands if `talkative`; what it and the compiler print goes to stderr. `more` is
    /// passed to `make` unchanged.
    pub(crate) fn build(&self, more: &[OsString], talkative: bool, interrupt: &Interrupt) -> Result<Built, Error> {
        let mut command = Command::new("make");
        command.args((!talkative).then_some("--silent")).args(more).current_dir(&self.directory);
        // A closed stderr is no reason not to build.
        let ended = run(&mut command, "make", interrupt, |said| drop(Stderr.write_all(said)))?;
        match ended {
            Ended::Well(time) => Ok(Built::Library { file: self.library()?, time }),
            Ended::Failed(time) => Ok(Built::Failed(time)),
            Ended::Interrupted => Ok(Built::Interrupted),
        }
    }

    /// The only library in the directory, or the one of several whose note has the plugin's name.
    fn library(&self) -> Result<PathBuf, Error> {
        let entries =
            fs::read_dir(&self.directory).map_err(|cause| Error::reading(&self.directory.display(), cause))?;
        let files = entries.flatten().map(|entry| entry.path());
        let mut libraries: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|extension| extension == "so")).collect();
        if libraries.len() > 1 {
            libraries
                .retain(|file| hookrail::inspect(file).is_ok_and(|inspection| inspection.note.name == self.plugin));
        }
        let none = || Error::NoLibrary { plugin: self.plugin.clone(), directory: self.directory.clone() };
        libraries.pop().filter(|_| libraries.is_empty()).ok_or_else(none)
    }

    /// Whether a file is one that people write, and no product of a build.
    pub(crate) fn is_source(file: &Path) -> bool {
        let name = file.file_name().unwrap_or_default();
        let is_written = |extension| WRITTEN.iter().any(|written| extension == *written);
        name == MANIFEST
            || MAKEFILES.iter().any(|makefile| name == *makefile)
            || file.extension().is_some_and(is_written)
    }
}

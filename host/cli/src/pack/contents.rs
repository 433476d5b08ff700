//! What goes into a package besides the libraries.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use hookrail::ParseError;
use hookrail::package::Content;
use tempfile::NamedTempFile;

use crate::error::Error;

/// The directories of a crate that are packed whole, if they exist.
const DIRECTORIES: [&str; 2] = ["data", "etc"];

/// The files and directories of its source.
const SOURCE: [&str; 5] = ["Cargo.toml", "Makefile", "build.rs", "hookrail-package.toml", "src"];

/// The files of a package.
pub(super) struct Contents {
    pub(super) files: Vec<Content>,
    /// Keeps the schema until it is packed.
    schema: Option<NamedTempFile>,
}

impl Contents {
    pub(super) fn of(directory: &Path, source: bool) -> Result<Self, Error> {
        let mut contents = Contents { files: Vec::new(), schema: None };
        let failed = |cause| Error::reading(&directory.display(), cause);
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_text = name.starts_with("README") || name.starts_with("LICENSE");
            let is_source = || SOURCE.contains(&&*name) || name.ends_with(".c") || name.ends_with(".h");
            if is_text || DIRECTORIES.contains(&&*name) || (source && is_source()) {
                contents.take(&entry.path(), &name)?;
            }
        }
        Ok(contents)
    }

    pub(super) fn add(&mut self, content: Content) {
        self.files.push(content);
    }

    /// Adds the schema of the plugin's configuration, which its library exports. The library's code runs in its own
    /// process.
    pub(super) fn add_schema(&mut self, name: &str, library: &Path) -> Result<(), Error> {
        let failed = |cause| Error::system("ask the library for its schema", cause);
        let program = std::env::current_exe().map_err(failed)?;
        let mut asked = Command::new(program);
        asked.args(["inspect", "--schema"]).arg(library).stdin(Stdio::null());
        let answer = asked.output().map_err(failed)?;
        if !answer.status.success() {
            // A plugin without a configuration has none.
            return Ok(());
        }
        let mut file = NamedTempFile::new().map_err(failed)?;
        file.write_all(&answer.stdout).map_err(failed)?;
        let path =
            format!("etc/{name}.schema.json").parse().map_err(|why: ParseError| failed(io::Error::other(why)))?;
        // A handwritten one gives way to what the library exports.
        self.files.retain(|content| content.path != path);
        self.files.push(Content::new(path, file.path()));
        self.schema = Some(file);
        Ok(())
    }

    /// Adds a file, or everything below a directory.
    fn take(&mut self, from: &Path, to: &str) -> Result<(), Error> {
        let failed = |cause| Error::reading(&from.display(), cause);
        let metadata = fs::symlink_metadata(from).map_err(failed)?;
        if metadata.is_dir() {
            for entry in fs::read_dir(from).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                self.take(&entry.path(), &format!("{to}/{}", entry.file_name().to_string_lossy()))?;
            }
            return Ok(());
        }
        let refused = |why: String| Error::NotPacked { package: from.display().to_string(), why };
        if !metadata.is_file() {
            return Err(refused("it is neither a file nor a directory".into()));
        }
        let path = to.parse().map_err(|why: ParseError| refused(why.to_string()))?;
        let mut content = Content::new(path, from);
        content.is_executable = metadata.permissions().mode() & 0o100 != 0;
        self.files.push(content);
        Ok(())
    }
}

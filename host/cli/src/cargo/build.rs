//! Building a plugin with cargo, whose messages go to stderr unchanged.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{CARGO, Package, cargo};
use crate::built::{Built, Ended, run};
use crate::error::Error;
use crate::interrupt::Interrupt;

/// The fields of a cargo message that are used.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Said {
    CompilerArtifact {
        manifest_path: PathBuf,
        target: Target,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Package {
    /// Builds it. Cargo reports every step if `talkative`, else only warnings and errors. `more` is passed to cargo
    /// unchanged.
    pub(crate) fn build(
        &self,
        release: bool,
        more: &[OsString],
        talkative: bool,
        interrupt: &Interrupt,
    ) -> Result<Built, Error> {
        let mut command = cargo();
        command.args(["build", "--message-format=json-render-diagnostics", "--manifest-path"]).arg(&self.manifest);
        command.args(release.then_some("--release"));
        command.args((!talkative).then_some("--quiet")).args(more);
        // There it finds its configuration (.cargo/config.toml), as it does for the author.
        command.current_dir(&self.directory);
        let mut said = Vec::new();
        let time = match run(&mut command, CARGO, interrupt, |chunk| said.extend_from_slice(chunk))? {
            Ended::Well(time) => time,
            Ended::Failed(time) => return Ok(Built::Failed(time)),
            Ended::Interrupted => return Ok(Built::Interrupted),
        };
        let mut libraries = libraries(&said, &self.manifest);
        match (libraries.pop(), libraries.is_empty()) {
            (Some(file), true) => Ok(Built::Library { file, time }),
            (None, _) => Err(Error::NoCdylib(self.name.clone())),
            (Some(last), false) => {
                libraries.push(last);
                Err(Error::ManyCdylibs { package: self.name.clone(), files: libraries })
            }
        }
    }
}

/// The libraries that could be plugins, among the artifacts of the package itself.
fn libraries(said: &[u8], manifest: &Path) -> Vec<PathBuf> {
    let messages = said.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let files = messages.flat_map(|message| match message {
        Said::CompilerArtifact { manifest_path, target, filenames }
            if manifest_path == manifest && target.crate_types.iter().any(|kind| kind == "cdylib") =>
        {
            filenames
        }
        _ => Vec::new(),
    });
    files.filter(|file| file.extension().is_some_and(|extension| extension == "so")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_libraries_of_the_package_itself_count() {
        let artifact = |manifest: &str, kind: &str, files: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"x","manifest_path":"{manifest}","target":{{"kind":["lib"],"crate_types":["{kind}"],"name":"x"}},"filenames":[{files}],"executable":null,"fresh":true}}"#
            )
        };
        let said = [
            artifact("/other/Cargo.toml", "cdylib", r#""/t/libother.so""#),
            artifact("/mine/Cargo.toml", "rlib", r#""/t/libmine.rlib""#),
            "a build script's word".into(),
            r#"{"reason":"build-script-executed","out_dir":"/t"}"#.into(),
            artifact("/mine/Cargo.toml", "cdylib", r#""/t/libmine.so","/t/libmine.so.dwp""#),
            r#"{"reason":"build-finished","success":true}"#.into(),
        ];
        let files = libraries(said.join("\n").as_bytes(), Path::new("/mine/Cargo.toml"));
        assert_eq!(files, [Path::new("/t/libmine.so")]);
    }
}

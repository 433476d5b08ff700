//! `hookrail run --follow`: files through the plugins to stdout, for as long as they grow: a pipeline of the plugin `tail`
//! and the program's own stdout, whose positions are kept in the home.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail::{Config, PipelineConfig, SinkConfig, SourceConfig};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde_json::json;

use super::input;
use crate::args::{OutputFormat, Run};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::plugins::Chosen;
use crate::serve::{self, How};

/// How long stdout may take for what is queued in the end.
const DRAIN: Duration = Duration::from_secs(10);
/// The most that `tail` takes as the longest line, in bytes.
const LONGEST: usize = 16 << 20;
/// The name of the pipeline; what it keeps is in the directory of that name.
const PIPELINE: &str = "run-follow";

pub(super) fn run(options: &Run) -> Result<ExitCode, Error> {
    let files = options.files.iter().map(|file| absolute(file)).collect::<Result<Vec<_>, Error>>()?;
    let paths: Vec<_> = files.iter().map(|file| literal(file)).collect();
    let chosen = Chosen::by(&options.setup)?;
    let _positions = own_positions(&chosen.config, &name_of(&paths))?;
    let pipeline = pipeline(&paths, options);
    let amend = move |config: &mut Config| config.pipelines = [(PIPELINE.into(), pipeline.clone())].into();
    let how = How {
        program: "hookrail run",
        amend: Arc::new(amend),
        drain: DRAIN,
        ends_with_reader: true,
        is_quiet: options.quiet,
        as_json: options.json,
        control: options.control.clone(),
        no_control: options.no_control,
    };
    serve::pipelines(chosen, &how)
}

fn pipeline(paths: &[String], options: &Run) -> PipelineConfig {
    let format = match options.output_format() {
        OutputFormat::Json => "json",
        OutputFormat::Text => "text",
    };
    let source = json!({
        "paths": paths,
        "exclude": [],
        "start_at": "beginning",
        "topic": options.topic,
        "max_line": options.max_line.0.min(LONGEST),
    });
    PipelineConfig::default()
        .with_source(name_of(paths), SourceConfig::new("tail").with_config(source))
        .with_sink("stdout", SinkConfig::new("stdout").with_config(json!({ "format": format })))
}

/// The positions are this run's alone, for as long as the file is open.
fn own_positions(config: &Config, name: &str) -> Result<File, Error> {
    /// Children of a run that was killed end soon, and have it open until then.
    const SOON: Duration = Duration::from_secs(2);
    let directory = config.home_dir().join("streams").join(PIPELINE);
    let path = directory.join(format!("{name}.lock"));
    let failed = |cause| Error::writing(&path.display(), cause);
    DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(failed)?;
    let until = Instant::now() + SOON;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            Err(Errno::WOULDBLOCK) => {
                let why = "another run follows the same files with this home: give one another --home";
                return Err(Error::system("keep the positions", io::Error::new(io::ErrorKind::WouldBlock, why)));
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
}

/// A file, which need not be there yet.
fn absolute(file: &Path) -> Result<PathBuf, Error> {
    let refused = |why: &str| Error::reading(&file.display(), io::Error::new(io::ErrorKind::InvalidInput, why));
    if file == Path::new("-") {
        return Err(refused("stdin is not followed: leave --follow out"));
    }
    if file.to_str().is_none() {
        return Err(refused("its name is not UTF-8"));
    }
    if file.exists() {
        input::check(&[file.to_owned()])?;
        input::Input::open(input::Named::File { path: file.into(), size: None })?;
    }
    std::path::absolute(file).map_err(|cause| Error::reading(&file.display(), cause))
}

/// A pattern that only this path matches.
fn literal(file: &Path) -> String {
    let mut pattern = String::new();
    for letter in file.to_string_lossy().chars() {
        if "*?[]".contains(letter) {
            pattern.extend(['[', letter, ']']);
        } else {
            pattern.push(letter);
        }
    }
    pattern
}

/// The name under which the positions are kept: the same for the same files.
fn name_of(paths: &[String]) -> String {
    // FNV-1a: it stays the same in each version of the program.
    let bytes = paths.iter().flat_map(|path| path.bytes().chain([0]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("files-{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_positions_of_the_same_files_have_the_same_name_in_each_version() {
        let name = |paths: &[&str]| name_of(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(name(&["/a"]), "files-ee2a3f17e6850777");
        assert_ne!(name(&["/a", "/b"]), name(&["/a/b"]));
    }

    #[test]
    fn a_path_is_taken_literally() {
        assert_eq!(literal(Path::new("/a/*[1]?.log")), "/a/[*][[]1[]][?].log");
    }
}

//! The configuration, and where plugins are looked for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::finding::Finding;
use crate::plugins::Finder;
use crate::prebuilt::operators;
use crate::settings;

const GROUP: &str = "plugins";

pub(super) fn look() -> Vec<Finding> {
    let finder = Finder::new(&[]);
    let mut findings = vec![configuration()];
    findings.extend(finder.directories().iter().map(directory));
    findings.push(prebuilt(&finder));
    findings
}

fn configuration() -> Finding {
    const NAME: &str = "configuration";
    let file = settings::file().map_or_else(|| "none".into(), |file| file.path.display().to_string());
    match settings::mistakes().map(|mistakes| mistakes.len()) {
        Ok(0) => Finding::ok(GROUP, NAME, file),
        Ok(count) => {
            let found = format!("{file} has {count} mistake{}", if count == 1 { "" } else { "s" });
            Finding::failure(GROUP, NAME, found, "`hookrail config check` names them")
        }
        Err(error) => Finding::failure(GROUP, NAME, error.to_string(), error.fix()),
    }
}

/// Code is loaded from there.
fn directory(directory: &PathBuf) -> Finding {
    const NAME: &str = "directory";
    let found = directory.display().to_string();
    match fs::metadata(directory) {
        Err(error) => {
            let fix = "name directories that are there in $HOOKRAIL_PLUGINS";
            Finding::warning(GROUP, NAME, format!("{found}: {error}"), fix)
        }
        Ok(metadata) if !metadata.is_dir() => {
            Finding::warning(GROUP, NAME, format!("{found} is no directory"), "name directories in $HOOKRAIL_PLUGINS")
        }
        // With the sticky bit others can still add a library.
        Ok(metadata) if metadata.mode() & 0o002 != 0 => {
            let found = format!("{found}: all users can write there, and code is loaded from it");
            Finding::failure(GROUP, NAME, found, format!("`chmod o-w {}`", directory.display()))
        }
        Ok(_) => Finding::ok(GROUP, NAME, found),
    }
}

fn prebuilt(finder: &Finder) -> Finding {
    const NAME: &str = "bundled";
    let (there, missing): (Vec<_>, Vec<_>) = operators().partition(|name| finder.find(name).is_ok());
    if missing.is_empty() {
        return Finding::ok(GROUP, NAME, there.join(", "));
    }
    let found = format!("not found: {}", missing.join(", "));
    Finding::warning(GROUP, NAME, found, "keep them beside the program, or name their directory in $HOOKRAIL_PLUGINS")
}

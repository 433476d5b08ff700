//! `hookrail plugin apply`: what a file wants of plugins.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hookrail::control::CallError;
use hookrail::control::command::{Apply, Deed, Desire, Step};
use serde::Deserialize;

use crate::args::Common;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::file::absolute;
use crate::{print, remote, talk};

/// A file such as `plugins.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plugins: BTreeMap<String, Desire>,
}

pub(super) fn run(file: &Path, dry_run: bool, common: &Common) -> Result<ExitCode, Error> {
    let plugins = read(file)?;
    let (applied, _) = remote::ask(&common.selection, Apply { plugins, dry_run })?;
    if common.json {
        print::json(&applied)?;
    } else if applied.steps.is_empty() && applied.failed.is_none() {
        print::line("all is as the file says")?;
    } else {
        applied.steps.iter().try_for_each(|step| print::line(told(step, dry_run)))?;
    }
    match (applied.failed, applied.problem) {
        (Some(plugin), Some(problem)) => {
            talk::line(format_args!("{plugin} is not as the file says, and what comes behind it may not be:"));
            Err(CallError::Refused(problem).into())
        }
        _ => Ok(ExitCode::Ok),
    }
}

fn read(file: &Path) -> Result<BTreeMap<String, Desire>, Error> {
    let name = file.display().to_string();
    let failed = |source| Error::Input { file: name.clone(), source };
    let text = fs::read_to_string(file).map_err(failed)?;
    let read: Result<File, _> = toml::from_str(&text);
    let bad =
        |why: toml::de::Error| Error::BadConfig { file: name.clone(), why: format!(" {}", why.to_string().trim_end()) };
    let mut plugins = read.map_err(bad)?.plugins;
    let folder = std::path::absolute(file).map_err(failed)?;
    for package in plugins.values_mut().filter_map(|desire| desire.package.as_mut()) {
        *package = absolute(&folder.parent().unwrap_or(Path::new("/")).join(&package))?;
    }
    Ok(plugins)
}

fn told(step: &Step, dry_run: bool) -> String {
    let Step { plugin, deed } = step;
    let would = if dry_run { "would be " } else { "" };
    match deed {
        Deed::Configure => format!("{plugin}: {would}configured"),
        Deed::Disable => format!("{plugin}: {would}disabled"),
        Deed::Enable => format!("{plugin}: {would}enabled"),
        Deed::Install { version, replaces: None } => format!("{plugin}: {version} {would}installed"),
        Deed::Install { version, replaces: Some(before) } => {
            format!("{plugin}: {version} {would}installed in the place of {before}")
        }
        Deed::Override => format!("{plugin}: callbacks {would}overridden"),
    }
}

//! `hookrail plugin apply`: brings plugins to the state that a file describes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hookrail::control::CallError;
use hookrail::control::command::{Action, Apply, PluginSpec, Step};
use serde::Deserialize;

use crate::args::Common;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::file::absolute;
use crate::{print, remote, stderr};

/// A file such as `plugins.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plugins: BTreeMap<String, PluginSpec>,
}

pub(super) fn run(file: &Path, dry_run: bool, common: &Common) -> Result<ExitCode, Error> {
    let plugins = read(file)?;
    let mut command = Apply::new(plugins);
    command.dry_run = dry_run;
    let (applied, _) = remote::ask(&common.selection, command)?;
    if common.json {
        print::json(&applied)?;
    } else if applied.steps.is_empty() && applied.failed.is_none() {
        print::line("everything is as the file says")?;
    } else {
        applied.steps.iter().try_for_each(|step| print::line(told(step, dry_run)))?;
    }
    match (applied.failed, applied.error) {
        (Some(plugin), Some(problem)) => {
            stderr::line(format_args!("{plugin} is not as the file says, and the plugins after it may not be:"));
            Err(CallError::Refused(problem).into())
        }
        _ => Ok(ExitCode::Ok),
    }
}

fn read(file: &Path) -> Result<BTreeMap<String, PluginSpec>, Error> {
    let name = file.display().to_string();
    let failed = |cause| Error::reading(&name, cause);
    let text = fs::read_to_string(file).map_err(failed)?;
    let read: Result<File, _> = toml::from_str(&text);
    let bad =
        |why: toml::de::Error| Error::BadConfig { file: name.clone(), why: format!(" {}", why.to_string().trim_end()) };
    let mut plugins = read.map_err(bad)?.plugins;
    let directory = std::path::absolute(file).map_err(failed)?;
    for package in plugins.values_mut().filter_map(|desire| desire.package.as_mut()) {
        *package = absolute(&directory.parent().unwrap_or(Path::new("/")).join(&package))?;
    }
    Ok(plugins)
}

fn told(step: &Step, dry_run: bool) -> String {
    let Step { plugin, action, .. } = step;
    let would = if dry_run { "would be " } else { "" };
    match action {
        Action::Configure => format!("{plugin}: {would}configured"),
        Action::Disable => format!("{plugin}: {would}disabled"),
        Action::Enable => format!("{plugin}: {would}enabled"),
        Action::Install { version, replaces: None, .. } => format!("{plugin}: {version} {would}installed"),
        Action::Install { version, replaces: Some(before), .. } => {
            format!("{plugin}: {version} {would}installed in place of {before}")
        }
        Action::Override => format!("{plugin}: callbacks {would}overridden"),
        _ => format!("{plugin}: {would}changed in a way that this version does not know"),
    }
}

//! `hookrail plugin install` and related verbs: installed plugins, whether a host runs or not.

use std::path::{Path, PathBuf};

use hookrail::control::command::{
    self, Allow, Changed, Command, Disable, Embed, Enable, ImportIncoming, ImportResult, Installed, Isolate, Planned,
    Rollback, Stage, Staged, Uninstall, Uninstalled, Validate, Validated,
};
use hookrail::store::{Allowance, Installation};

use super::answer::answer;
use super::{apply, text};
use crate::args::{Common, Store, Swap};
use crate::confirm::confirm;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::file::{absolute, is_library};
use crate::harmless::part;
use crate::{plugins, remote, settings, stderr};

/// What to install, and how.
struct Install<'a> {
    /// The plugin that the package must be of, and that must be installed already.
    plugin: Option<&'a str>,
    dry_run: bool,
    downgrade: bool,
}

pub(super) fn run(command: &Store) -> Result<ExitCode, Error> {
    match command {
        Store::Validate { file, common } => {
            ask(common, Validate::new(absolute(file)?), |Validated { metadata, trusted_by, .. }| {
                format!("{} works with this host, {}", metadata.full_name(), text::trusted_by(trusted_by))
            })
        }
        Store::Stage { file, common } => {
            ask(common, Stage::new(absolute(file)?), |Staged { installation, plan, .. }| {
                let name = installation.metadata.full_name();
                stderr::line(format_args!("`hookrail plugin install {name}` installs it, for an hour from now"));
                format!("{name} is staged, {}{}", text::trusted_by(&installation.trusted_by), planned(plan))
            })
        }
        Store::Install { file, dry_run, downgrade, swap, common } => {
            let how = Install { plugin: None, dry_run: *dry_run, downgrade: *downgrade };
            install(&staged(file)?, &how, *swap, common)
        }
        Store::Upgrade { name, file, downgrade, swap, common } => {
            if is_library(file)? {
                return Err(Error::IsLibrary { plugin: name.clone(), file: file.clone() });
            }
            install(file, &Install { plugin: Some(name), dry_run: false, downgrade: *downgrade }, *swap, common)
        }
        Store::Uninstall { name, purge: true, consent, .. }
            if !confirm(
                *consent,
                &format!("the configuration of {name} and the owner of its name will be removed"),
            )? =>
        {
            Ok(ExitCode::Failure)
        }
        Store::Uninstall { name, purge, common, .. } => {
            let mut command = Uninstall::new(name);
            command.purge = *purge;
            ask(common, command, |Uninstalled { plugin, version, purged, ended, .. }| {
                if !purged {
                    stderr::line("its configuration and the owner of its name are kept; --purge removes both");
                }
                let ended = ended.as_ref().map(|ended| format!(", {}", text::ending(ended))).unwrap_or_default();
                match version {
                    Some(version) => format!("{plugin} {version} uninstalled{ended}"),
                    None => format!("{plugin} forgotten"),
                }
            })
        }
        Store::Enable { name, common } => {
            let (done, by_host) = remote::ask(&common.selection, Enable::new(name))?;
            if !by_host {
                stderr::line("no host is running: it is loaded when one starts");
            }
            answer(&done, common.json, changed)
        }
        Store::Disable { name, common } => ask(common, Disable::new(name), changed),
        Store::Isolate { name, worker, no_wait, common } => {
            let mut command = Isolate::new(name);
            (command.worker, command.wait_ms) = (worker.clone(), no_wait.then_some(0));
            ask(common, command, moved)
        }
        Store::Embed { name, no_wait, common } => {
            let mut command = Embed::new(name);
            command.wait_ms = no_wait.then_some(0);
            ask(common, command, moved)
        }
        Store::Rollback { name, swap, common } => {
            let mut command = Rollback::new(name);
            (command.fresh, command.wait_ms) = (swap.fresh, swap.wait_ms());
            ask(common, command, changed)
        }
        Store::Apply { file, dry_run, common } => apply::run(file, *dry_run, common),
        Store::ImportIncoming { common } => {
            ask(common, ImportIncoming::new(), |taken: &Vec<ImportResult>| match taken.is_empty() {
                true => "there is nothing to install".into(),
                false => taken.iter().map(text::taken).collect::<Vec<_>>().join("\n"),
            })
        }
        Store::Allow { package: (name, version), sha256, lasts, common } => {
            let command = Allow::new(name, version.clone(), *sha256, *lasts);
            stderr::line("no trusted key has signed it: be sure of the file and of the digest");
            ask(common, command, |Allowance { plugin, version, until, .. }| {
                format!("{plugin} {version} with that digest may be installed once, until {until}")
            })
        }
    }
}

fn install(file: &Path, how: &Install<'_>, swap: Swap, common: &Common) -> Result<ExitCode, Error> {
    let Install { plugin, dry_run, downgrade } = *how;
    let mut command = command::Install::new(absolute(file)?);
    command.plugin = plugin.map(str::to_owned);
    (command.dry_run, command.downgrade) = (dry_run, downgrade);
    (command.fresh, command.wait_ms) = (swap.fresh, swap.wait_ms());
    ask(common, command, |Installed { installation, plan, replaced, .. }| {
        let Installation { metadata, trusted_by, replaces, enabled, .. } = installation;
        let done = if dry_run { "would be installed" } else { "installed" };
        let place = replaces.as_ref().map(|replaces| format!(" in place of {replaces}")).unwrap_or_default();
        stderr::line("native code is fully trusted: in the host's process it may do all that the host may");
        if !enabled && !dry_run {
            let name = &metadata.name;
            stderr::line(format_args!("it is disabled; `hookrail plugin enable {name}` makes hosts load it"));
        }
        let (name, version) = (&metadata.name, &metadata.version);
        let replaced = replaced.as_ref().map(|replaced| format!("\n{}", text::replaced(replaced)));
        let replaced = replaced.unwrap_or_default();
        let done = part(format!("{name} {version} {done}{place}, {}", text::trusted_by(trusted_by)));
        format!("{done}{replaced}{}", planned(plan))
    })
}

/// The given file, or the staged package that it names.
fn staged(file: &Path) -> Result<PathBuf, Error> {
    if let Some(name) = file.to_str().filter(|_| !file.exists()) {
        let store = plugins::store(&settings::read()?.config)?;
        if let Some(staged) = store.find_staged(name) {
            return Ok(staged);
        }
    }
    Ok(file.into())
}

fn ask<C: Command>(common: &Common, command: C, text: impl FnOnce(&C::Answer) -> String) -> Result<ExitCode, Error> {
    let (done, _) = remote::ask(&common.selection, command)?;
    answer(&done, common.json, text)
}

fn changed(changed: &Changed) -> String {
    let Changed { changed, plugin, ended, replaced, .. } = changed;
    let already = if *changed { "" } else { ", as it was" };
    let ended = ended.as_ref().map(|ended| format!("\n{}", text::ending(ended)));
    let replaced = replaced.as_ref().map(|replaced| format!("\n{}", text::replaced(replaced)));
    format!("{}{already}{}{}", text::line(plugin), ended.unwrap_or_default(), replaced.unwrap_or_default())
}

fn moved(answer: &Changed) -> String {
    let place = answer.plugin.isolation.as_ref().map(text::placed);
    format!("{}\n{}", changed(answer), part(place.unwrap_or_default()))
}

/// The places of the callbacks, one line each.
fn planned(plan: &[Planned]) -> String {
    let line = |planned: &Planned| {
        let Planned { point, callback, priority, position, chain_length, previous, next, point_known, .. } = planned;
        let between = match (previous, next) {
            (None, None) => String::new(),
            (Some(previous), None) => format!(", after {previous}"),
            (None, Some(next)) => format!(", before {next}"),
            (Some(previous), Some(next)) => format!(", between {previous} and {next}"),
        };
        let unknown = if *point_known { "" } else { "; this host does not have the point" };
        let place = format!("{point}: {callback} at {priority}, {position} of {chain_length}{between}{unknown}");
        format!("\n  {}", part(place))
    };
    plan.iter().map(line).collect()
}

//! `hookrail plugin`: what is installed, and the plugins of a running host.

mod answer;
mod apply;
mod install;
pub(crate) mod text;

use hookrail::PluginView;
use hookrail::control::wire::{Ended, PluginDetail, Replaced};
use hookrail::control::{Command, Manage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::answer::answer;
pub(crate) use self::text::{lost, times};
use crate::args::{Common, Plugin};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::file::{absolute, is_package};
use crate::{remote, talk};

pub(crate) fn run(command: &Plugin) -> Result<ExitCode, Error> {
    match command {
        Plugin::Store(command) => install::run(command),
        Plugin::List { verify, common } => list(*verify, common),
        Plugin::Show { name, common } => {
            let (detail, _) = remote::ask(&common.selection, &Command::Show { plugin: name.clone() })?;
            answer::<PluginDetail>(&detail, common.json, text::show)
        }
        Plugin::Log { name, level, common } => {
            let told = |plugin: &PluginView| format!("{}, log {}", text::line(plugin), plugin.log.name());
            ask(common, &Command::Log { plugin: name.clone(), level: *level }, told)
        }
        Plugin::Load { file, common } => ask(common, &Command::Load { file: absolute(file)? }, text::line),
        Plugin::Upgrade { name, file, downgrade, swap, common } if is_package(file) => {
            let how = install::Install { plugin: Some(name), dry_run: false, downgrade: *downgrade };
            install::install(file, &how, *swap, common)
        }
        Plugin::Upgrade { name, file, swap, common, .. } => {
            let (plugin, file) = (name.clone(), absolute(file)?);
            let command = Command::Upgrade { plugin, file, fresh: swap.fresh, wait_ms: swap.wait_ms() };
            ask::<Replaced>(common, &command, text::replaced)
        }
        Plugin::Unload { name, no_wait, common } => {
            let command = Command::Unload { plugin: name.clone(), wait_ms: no_wait.then_some(0) };
            ask(common, &command, |ended: &Ended| format!("{} {}", ended.plugin, text::ending(ended)))
        }
        Plugin::Stop { name, common } => ask(common, &Command::Stop { plugin: name.clone() }, text::line),
        Plugin::Restart { name, common } => ask(common, &Command::Restart { plugin: name.clone() }, text::line),
        Plugin::Start { name, common } => ask(common, &Command::Start { plugin: name.clone() }, text::line),
    }
}

fn list(verify: bool, common: &Common) -> Result<ExitCode, Error> {
    let (plugins, is_of_host) = remote::ask::<Vec<PluginView>>(&common.selection, &Command::List { verify })?;
    if !is_of_host {
        talk::line("no host is running: this is what is installed");
    }
    answer(&plugins, common.json, |plugins| text::list(plugins))?;
    let is_sound = |plugin: &PluginView| plugin.installed.as_ref().is_none_or(|installed| installed.why.is_none());
    Ok(if !verify || plugins.iter().all(is_sound) { ExitCode::Ok } else { ExitCode::PackageRefused })
}

/// Has a running host carry out a command, and prints the answer.
fn ask<T: Serialize + DeserializeOwned>(
    common: &Common,
    command: &Command,
    text: impl FnOnce(&T) -> String,
) -> Result<ExitCode, Error> {
    answer(&remote::connect(&common.selection)?.ask(command)?, common.json, text)
}

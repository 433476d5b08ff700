//! `hookrail plugin`: installed plugins, and the plugins of a running host.

mod answer;
mod apply;
mod install;
pub(crate) mod text;

use hookrail::PluginView;
use hookrail::control::Manage;
use hookrail::control::command::{
    Command, Ended, Halt, List, Load, Replace, Restart, Resume, SetLogLevel, Show, Start, Stop, Unload,
};

use self::answer::answer;
pub(crate) use self::text::{lost, times};
use crate::args::{Common, Plugin};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::file::{absolute, is_package};
use crate::{remote, stderr};

pub(crate) fn run(command: &Plugin) -> Result<ExitCode, Error> {
    match command {
        Plugin::Store(command) => install::run(command),
        Plugin::List { verify, common } => list(*verify, common),
        Plugin::Show { name, common } => {
            let (detail, _) = remote::ask(&common.selection, Show::new(name))?;
            answer(&detail, common.json, text::show)
        }
        Plugin::SetLogLevel { name, level, common } => {
            let told = |plugin: &PluginView| format!("{}, log {}", text::line(plugin), plugin.log_level.name());
            ask(common, SetLogLevel::new(name, *level), told)
        }
        Plugin::Load { file, common } => ask(common, Load::new(absolute(file)?), text::line),
        Plugin::Replace { name, file, swap, common } => {
            if is_package(file)? {
                return Err(Error::IsPackage { plugin: name.clone(), file: file.clone() });
            }
            let mut command = Replace::new(name, absolute(file)?);
            (command.fresh, command.wait_ms) = (swap.fresh, swap.wait_ms());
            ask(common, command, text::replaced)
        }
        Plugin::Unload { name, no_wait, common } => {
            let mut command = Unload::new(name);
            command.wait_ms = no_wait.then_some(0);
            ask(common, command, |ended: &Ended| format!("{} {}", ended.plugin, text::ending(ended)))
        }
        Plugin::Halt { name, common } => ask(common, Halt::new(name), text::line),
        Plugin::Resume { name, common } => ask(common, Resume::new(name), text::line),
        Plugin::Stop { name, common } => ask(common, Stop::new(name), text::line),
        Plugin::Restart { name, common } => ask(common, Restart::new(name), text::line),
        Plugin::Start { name, common } => ask(common, Start::new(name), text::line),
    }
}

fn list(verify: bool, common: &Common) -> Result<ExitCode, Error> {
    let mut command = List::new();
    command.verify = verify;
    let (plugins, is_of_host) = remote::ask(&common.selection, command)?;
    if !is_of_host {
        stderr::line("no host is running: this is what is installed");
    }
    answer(&plugins, common.json, |plugins| text::list(plugins))?;
    let is_sound = |plugin: &PluginView| plugin.installed.as_ref().is_none_or(|installed| installed.reason.is_none());
    Ok(if !verify || plugins.iter().all(is_sound) { ExitCode::Ok } else { ExitCode::PackageRefused })
}

/// Executes a command in a running host, and prints the answer.
fn ask<C: Command>(common: &Common, command: C, text: impl FnOnce(&C::Answer) -> String) -> Result<ExitCode, Error> {
    answer(&remote::connect(&common.selection)?.ask(command)?, common.json, text)
}

//! `hookrail crash replay`: a lost call once more, in a worker of its own.

use hookrail::control::command;
use hookrail::{Config, CrashReport, CrashedPlugin, Host, Isolation, LostCall, Message, MessagePublish, Quarantine};
use serde_json::json;

use super::find::report;
use crate::args::{Replay, Selection};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::part;
use crate::{print, remote, settings};

pub(super) fn run(Replay { id, call, file, common }: &Replay) -> Result<ExitCode, Error> {
    let report = report(id.as_deref(), &common.selection)?;
    let (lost, message) = chosen(&report, *call)?;
    let plugin = plugin_of(&report, lost)?;
    let file = file.as_ref().unwrap_or(&plugin.file);
    let config = configured(settings::read()?.config, plugin, &common.selection);
    let (outcome, faults) = replay(config, file, lost, message)?;
    if common.json {
        print::json(&json!({ "callback": lost.callback, "decision": outcome, "faults": faults }))?;
    } else {
        let callback = part(lost.callback.clone());
        match &faults[..] {
            [] => print::line(format!("{callback} returned: {outcome}"))?,
            faults => faults
                .iter()
                .try_for_each(|fault| print::line(format!("{callback} failed again: {}", part(fault.to_string()))))?,
        }
    }
    Ok(if faults.is_empty() { ExitCode::Ok } else { ExitCode::CallbackFailed })
}

/// The call that is meant, and its input.
fn chosen(report: &CrashReport, number: Option<usize>) -> Result<(&LostCall, Message), Error> {
    let has_input = |call: &&LostCall| call.input.is_some();
    let lost = match number {
        Some(number) => number.checked_sub(1).and_then(|index| report.lost.get(index)),
        None => report.lost.iter().find(has_input).or(report.lost.first()),
    };
    let refused = |why: &str| Error::NoReplay { id: report.id.clone(), why: why.into() };
    let lost = lost.ok_or_else(|| refused("it has no such call"))?;
    let input = lost.input.clone().ok_or_else(|| refused("its input was not kept: keep_input was not set"))?;
    let why = format!("its input is no message, and only the program that declares {} can make one", lost.point);
    let message = serde_json::from_value(input).map_err(|_| refused(&why))?;
    Ok((lost, message))
}

fn plugin_of<'a>(report: &'a CrashReport, lost: &LostCall) -> Result<&'a CrashedPlugin, Error> {
    let instance = lost.callback.split('/').next().unwrap_or_default();
    let name = instance.split(':').next().unwrap_or_default();
    let found = report.plugins.iter().find(|plugin| plugin.name == name);
    found
        .ok_or_else(|| Error::NoReplay { id: report.id.clone(), why: format!("it does not say which file {name} was") })
}

/// A configuration of that plugin only, as a file or the store has it, in a worker that no fault takes its callbacks from.
fn configured(config: Config, plugin: &CrashedPlugin, selection: &Selection) -> Config {
    let mut own = config.plugins.get(&plugin.name).cloned().unwrap_or_default();
    own.isolation = Some(Isolation::WORKER);
    if own.config.is_null()
        && own.instances.is_empty()
        && let Ok((stored, _)) = remote::ask(selection, command::Config::new(&*plugin.name))
    {
        own.config = stored.value;
    }
    let mut config = config.with_quarantine(Quarantine::default().with_faults(0));
    config.plugins = [(plugin.name.clone(), own)].into();
    config.overrides.clear();
    config
}

/// Dispatches the message in a host with that plugin only; returns the decision and the callback's faults.
fn replay(
    config: Config,
    file: &std::path::Path,
    lost: &LostCall,
    mut message: Message,
) -> Result<(String, Vec<String>), Error> {
    let host = Host::new(config)?;
    let point = host.point(MessagePublish)?;
    // SAFETY: it runs in a worker, and the operator named it.
    unsafe { host.load(file)? };
    let decision = point.dispatch(&mut message).decision();
    let views = host.point_views();
    let callbacks = views.iter().flat_map(|view| &view.chain);
    let own = callbacks.filter(|callback| callback.callback == lost.callback);
    let faults = own.filter_map(|callback| callback.last_fault.as_ref()).map(|fault| fault.message.clone());
    Ok((format!("{decision:?}").to_lowercase(), faults.collect()))
}

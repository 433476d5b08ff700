//! `hookrail hooks`: the points and their callbacks.

mod explain;
mod find;
mod set;
mod stats;
mod text;
mod trace;

use hookrail::PointView;
use hookrail::control::command::{self, SetLevel, Unquarantine};
use hookrail::control::{Client, Manage};

pub(crate) use self::text::{chain, fault, origin};
use crate::args::{Chains, Hooks};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{plugins, print, remote, running, settings, stderr};

use find::find;

pub(crate) fn run(command: &Hooks) -> Result<ExitCode, Error> {
    match command {
        Hooks::List { chains } => {
            let points = points(chains)?;
            if chains.json { print::json(&points)? } else { print::lines(text::all(&points))? }
        }
        Hooks::Show { point, chains } => {
            let points = points(chains)?;
            let shown = find(&points, point)?;
            if chains.json { print::json(shown)? } else { print::lines(text::one(shown))? }
        }
        Hooks::Explain { point, chains } => {
            let points = points(chains)?;
            let shown = find(&points, point)?;
            if chains.json { print::json(shown)? } else { print::lines(explain::explain(shown))? }
        }
        Hooks::Set { point, callback, change, common } => {
            changed(&set::run(point, callback, change, &common.selection)?, common.json)?;
        }
        Hooks::SetLevel { point, level, common } => {
            let view = remote::connect(&common.selection)?.ask(SetLevel::new(point, *level))?;
            changed(&view, common.json)?;
        }
        Hooks::Unquarantine { point, callback, common } => {
            let view = remote::connect(&common.selection)?.ask(Unquarantine::new(point, callback))?;
            changed(&view, common.json)?;
        }
        Hooks::Stats { point, watch, common } => stats::run(point.as_deref(), *watch, common)?,
        Hooks::Trace { point, count, filter, wait, common } => {
            let mut command = command::Trace::new(point, (*count).into()).wait(*wait);
            command.filter.clone_from(filter);
            return trace::run(command, common);
        }
    }
    Ok(ExitCode::Ok)
}

/// Prints a point that was changed.
fn changed(view: &PointView, json: bool) -> Result<(), Error> {
    if json { print::json(view) } else { print::lines(explain::explain(view)) }
}

/// The points of the selected running host, or of a host that would load the named plugins.
fn points(Chains { selection, setup, .. }: &Chains) -> Result<Vec<PointView>, Error> {
    if !selection.is_empty() {
        return Ok(remote::connect(selection)?.ask(command::Points::new())?);
    }
    let running = if setup.is_empty() && !settings::is_config_given() { remote::all()? } else { Vec::new() };
    match &running[..] {
        [] => {}
        [only] => {
            stderr::line(format_args!("in the running host {}", running::describe(only)));
            return Ok(Client::connect(&only.socket)?.ask(command::Points::new())?);
        }
        several => {
            let count = several.len();
            stderr::line(format_args!("{count} hosts are running, and this shows none of them: --pid PID shows one"));
        }
    }
    Ok(plugins::host(setup)?.point_views())
}

//! Loaded plugins.

use std::path::Path;

use hookrail_dispatch::view;
use hookrail_engine::{Core, RuntimeOverrides};
use hookrail_image::SealedCopy;
use hookrail_model::command::{Changed, Embed, Isolate, LeftOut, PlacedCallback, PluginDetail, Replace, Replaced};
use hookrail_model::error::{ApiMisuse, ConfigError, Error as HostError};
use hookrail_model::isolation::{Isolation, Placed, PlacedBy};
use hookrail_model::log_level::LogLevel;
use hookrail_model::note::NoteHook;
use hookrail_model::view::{PluginView, PointView, Status};

use super::file::is_absolute;
use crate::call::Call;
use crate::ending::replaced;
use crate::error::Error;
use crate::verbs::declared::is_not_placed;
use crate::verbs::isolation;

pub(super) fn show(call: &Call<'_>, name: &str) -> Result<PluginDetail, Error> {
    let core = call.core();
    let mut plugin = call.view(name).or_else(|error| unloaded(core, name).ok_or(error))?;
    let said = call.stored().filter(|_| plugin.installed.is_some()).map(|verbs| verbs.said(name));
    let (declared, metadata) = said.unwrap_or_default();
    if plugin.declared.is_empty() {
        plugin.declared = declared.hooks;
    }
    if plugin.endpoints.is_empty() {
        plugin.endpoints = declared.endpoints;
    }
    let mut callbacks = Vec::new();
    for PointView { point, chain, .. } in view::points(&core.registry) {
        let own = chain.into_iter().filter(|callback| plugin.instances.contains(&callback.instance));
        callbacks.extend(own.map(|callback| PlacedCallback::new(point.clone(), callback)));
    }
    let is_armed = |instance: &str, hook: &NoteHook| {
        let is_it = |placed: &PlacedCallback| {
            (&*placed.point, &*placed.callback.instance, &*placed.callback.name)
                == (&*hook.point, instance, &*hook.name)
        };
        callbacks.iter().any(is_it)
    };
    let mut left_out = Vec::new();
    for instance in &plugin.instances {
        for hook in plugin.declared.iter().filter(|hook| !is_armed(instance, hook)) {
            left_out.push(LeftOut::new(hook.point.clone(), format!("{instance}/{}", hook.name)));
        }
    }
    let mut detail = PluginDetail::new(plugin);
    (detail.callbacks, detail.left_out, detail.metadata) = (callbacks, left_out, metadata);
    Ok(detail)
}

/// What is known of an unloaded plugin.
fn unloaded(core: &Core, name: &str) -> Option<PluginView> {
    let former = core.table.history(name);
    let mut plugin = PluginView::new(name, &*former.last()?.version, Status::Unloaded);
    plugin.former = former;
    Some(plugin)
}

pub(super) fn load(call: &Call<'_>, file: &Path) -> Result<PluginView, Error> {
    is_absolute(file)?;
    // SAFETY: the caller of `Manager::new` trusts whatever a command names; `Offline`, which has a manager without that
    // promise, refuses this command.
    let plugin = unsafe { call.core().load(SealedCopy::of(file)?, RuntimeOverrides::default())? };
    call.view(plugin.name())
}

pub(super) fn replace(call: &Call<'_>, command: Replace) -> Result<Replaced, Error> {
    let (core, Replace { plugin, file, fresh, wait_ms, .. }) = (call.core(), command);
    is_absolute(&file)?;
    // SAFETY: as in `load`.
    let upgraded = unsafe { core.upgrade(&call.find(&plugin)?, SealedCopy::of(&file)?, fresh, None)? };
    Ok(replaced(core, upgraded, wait_ms))
}

pub(super) fn isolate(call: &Call<'_>, command: Isolate) -> Result<Changed, Error> {
    let Isolate { plugin, worker, wait_ms, .. } = command;
    if worker.as_deref() == Some("") {
        let why = "is empty: name the one that several plugins share, or leave it out";
        return Err(HostError::from(ConfigError::invalid_value("worker", why)).into());
    }
    move_to(call, &plugin, Isolation::Worker(worker), wait_ms)
}

pub(super) fn embed(call: &Call<'_>, command: Embed) -> Result<Changed, Error> {
    let Embed { plugin, wait_ms, .. } = command;
    move_to(call, &plugin, Isolation::InProcess, wait_ms)
}

fn move_to(call: &Call<'_>, plugin: &str, to: Isolation, wait_ms: Option<u64>) -> Result<Changed, Error> {
    let core = call.core();
    is_not_placed(&core.config, plugin)?;
    if let Some(verbs) = call.stored() {
        return verbs.isolate(plugin, to, wait_ms);
    }
    let moved = isolation::move_to(core, plugin, Placed::new(to, PlacedBy::Command))?;
    let replaced = replaced(core, moved, wait_ms);
    let mut changed = Changed::new(true, call.view(plugin)?);
    changed.replaced = Some(replaced);
    Ok(changed)
}

pub(super) fn log(call: &Call<'_>, name: &str, level: LogLevel) -> Result<PluginView, Error> {
    call.core().table.set_log_level(&call.find(name)?, level)?;
    call.view(name)
}

pub(super) fn stop(call: &Call<'_>, name: &str) -> Result<PluginView, Error> {
    call.core().stop(&call.find(name)?)?;
    call.view(name)
}

pub(super) fn halt(call: &Call<'_>, name: &str) -> Result<PluginView, Error> {
    call.core().halt(&call.find(name)?)?;
    call.view(name)
}

pub(super) fn resume(call: &Call<'_>, name: &str) -> Result<PluginView, Error> {
    call.core().resume(&call.find(name)?)?;
    call.view(name)
}

pub(super) fn start(call: &Call<'_>, name: &str) -> Result<PluginView, Error> {
    match (call.core().table.plugin(name), call.stored()) {
        (Some(plugin), _) => call.core().start(&plugin)?,
        (None, Some(verbs)) => verbs.start(name)?,
        (None, None) => return Err(ApiMisuse::NotLoaded(name.into()).into()),
    }
    call.view(name)
}

pub(super) fn restart(call: &Call<'_>, name: &str) -> Result<PluginView, Error> {
    let core = call.core();
    if let Some(plugin) = core.table.plugin(name)
        && matches!(core.table.status(name), Some(Status::Halted | Status::Running))
        && core.stop(&plugin)? != Status::Stopped
    {
        return Err(ApiMisuse::busy(name, "stopped").into());
    }
    start(call, name)
}

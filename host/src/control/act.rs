//! What the commands do: a typed function each, and the one place that tells them apart.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::ending::{LONGEST_WAIT, replaced, unload};
use super::error::ControlError;
use super::wire::{Command, LeftOut, PlacedCallback, PluginDetail, Program, Replaced};
use crate::config::Wishes;
use crate::diagnostics::LogLevel;
use crate::error::{ApiMisuse, Error};
use crate::host::{Core, Plugin};
use crate::library::{NoteHook, SealedCopy};
use crate::manage::{Manager, Swap};
use crate::stats::{Condition, Level, Trace};
use crate::store::{Depth, Install};
use crate::view::{self, GenerationView, PluginView, PointView, Status};

/// How many traces one command takes at most.
const MOST_TRACES: usize = 1000;

/// How long a wait goes without a look at whether the host ends, or nobody waits for the answer.
const SLICE: Duration = Duration::from_millis(100);

/// Whoever asks for something.
pub(crate) trait Asker {
    /// Whether nobody is there any more to take the answer.
    fn is_gone(&self) -> bool;

    /// What the program has to say of itself.
    fn report(&self) -> Value;
}

/// Carries out a command. [`Command::Events`] has no answer here but that it may begin.
pub(crate) fn act(core: &Arc<Core>, command: &Command, asker: &impl Asker) -> Result<Value, Error> {
    can_be_waited(command)?;
    match command {
        Command::Allow { plugin, version, sha256, lasts_ms } => {
            json(manager(core)?.allow(plugin, version.clone(), *sha256, Duration::from_millis(*lasts_ms)))
        }
        Command::Apply { plugins, dry_run } => json(manager(core)?.apply(plugins, *dry_run)),
        Command::Config { plugin } => json(manager(core)?.config(plugin)),
        Command::ConfigHistory { plugin } => json(manager(core)?.config_history(plugin)),
        Command::ConfigSchema { plugin } => json(manager(core)?.config_schema(plugin)),
        Command::Configure { plugin, config, restart, wait_ms } => {
            let swap = Swap { fresh: false, wait_ms: *wait_ms };
            json(manager(core)?.configure(plugin, config.clone(), *restart, swap))
        }
        Command::Disable { plugin, wait_ms } => json(manager(core)?.disable(plugin, *wait_ms)),
        Command::Enable { plugin } => json(manager(core)?.enable(plugin)),
        Command::Events => Ok(Value::Null),
        Command::Hooks { point } => json(hooks(core, point.as_deref())),
        Command::Install { file, plugin, dry_run, downgrade, fresh, wait_ms } => {
            let how = Install { dry_run: *dry_run, downgrade: *downgrade };
            is_absolute(file)?;
            let (manager, swap) = (manager(core)?, Swap { fresh: *fresh, wait_ms: *wait_ms });
            json(match plugin {
                Some(plugin) => manager.upgrade(file, plugin, how, swap),
                None => manager.install(file, None, how, swap),
            })
        }
        Command::Level { point, level } => json(set_level(core, point, *level)),
        Command::List { verify } => json(core.plugins(if *verify { Depth::Files } else { Depth::Metadata })),
        Command::Log { plugin, level } => json(log(core, plugin, *level)),
        Command::Load { file } => json(load(core, file)),
        Command::Release { point, callback } => json(release(core, point, callback)),
        Command::Restart { plugin } => json(restart(core, plugin)),
        Command::Rollback { plugin, fresh, wait_ms } => {
            json(manager(core)?.rollback(plugin, Swap { fresh: *fresh, wait_ms: *wait_ms }))
        }
        Command::Show { plugin } => json(show(core, plugin)),
        Command::Stage { file } => {
            is_absolute(file)?;
            json(manager(core)?.stage(file))
        }
        Command::Start { plugin } => json(start(core, plugin)),
        Command::Status => json(Ok::<_, Error>(status(core, asker.report()))),
        Command::Stop { plugin } => json(stop(core, plugin)),
        Command::TakeIn => json(manager(core)?.take_in()),
        Command::Trace { point, count, condition, wait_ms } => {
            json(trace(core, point, *count, condition.clone(), *wait_ms, asker))
        }
        Command::Uninstall { plugin, purge, wait_ms } => json(manager(core)?.uninstall(plugin, *purge, *wait_ms)),
        Command::Unload { plugin, wait_ms } => json(unload(core, &find(core, plugin)?, *wait_ms)),
        Command::Upgrade { plugin, file, fresh, wait_ms } => json(upgrade(core, plugin, file, *fresh, *wait_ms)),
        Command::Validate { file } => {
            is_absolute(file)?;
            json(manager(core)?.validate(file))
        }
    }
}

/// What carrying out a command takes.
pub(crate) struct Takes {
    /// Code of plugins may run in it, on the thread that carries it out.
    pub(crate) plugins: bool,
    /// It cannot be carried out where no host runs.
    pub(crate) host: bool,
}

impl Takes {
    pub(crate) fn of(command: &Command) -> Self {
        let (plugins, host) = match command {
            Command::Allow { .. }
            | Command::Config { .. }
            | Command::ConfigHistory { .. }
            | Command::List { .. }
            | Command::Show { .. }
            | Command::Stage { .. }
            | Command::Validate { .. } => (false, false),
            Command::Events
            | Command::Hooks { .. }
            | Command::Level { .. }
            | Command::Release { .. }
            | Command::Status
            | Command::Trace { .. } => (false, true),
            Command::Apply { .. }
            | Command::ConfigSchema { .. }
            | Command::Configure { .. }
            | Command::Disable { .. }
            | Command::Enable { .. }
            | Command::Install { .. }
            | Command::Rollback { .. }
            | Command::TakeIn
            | Command::Uninstall { .. } => (true, false),
            Command::Load { .. }
            | Command::Log { .. }
            | Command::Restart { .. }
            | Command::Start { .. }
            | Command::Stop { .. }
            | Command::Unload { .. }
            | Command::Upgrade { .. } => (true, true),
        };
        Takes { plugins, host }
    }
}

/// Before anything is done: what cannot be waited for is better refused than cut.
fn can_be_waited(command: &Command) -> Result<(), ControlError> {
    let limit = LONGEST_WAIT.as_millis() as u64;
    match command.wait_ms() {
        Some(wait) if wait > limit => {
            Err(ControlError::BadRequest(format!("`wait_ms` is {wait}: at most {limit} can be waited for")))
        }
        _ => Ok(()),
    }
}

fn manager(core: &Arc<Core>) -> Result<Manager<'_>, ApiMisuse> {
    Manager::of(core).ok_or(ApiMisuse::NoStore)
}

fn show(core: &Arc<Core>, name: &str) -> Result<PluginDetail, Error> {
    let mut plugin = core.view(name).or_else(|error| unloaded(core, name).ok_or(error))?;
    let said = Manager::of(core).filter(|_| plugin.installed.is_some()).map(|manager| manager.said(name));
    let (declared, metadata) = said.unwrap_or_default();
    if plugin.declared.is_empty() {
        plugin.declared = declared;
    }
    let mut hooks = Vec::new();
    for PointView { point, chain, .. } in view::points(&core.registry) {
        let own = chain.into_iter().filter(|callback| plugin.instances.contains(&callback.instance));
        hooks.extend(own.map(|callback| PlacedCallback { point: point.clone(), callback }));
    }
    let is_armed = |instance: &str, hook: &NoteHook| {
        let is_it = |placed: &PlacedCallback| {
            (&*placed.point, &*placed.callback.instance, &*placed.callback.callback)
                == (&*hook.point, instance, &*hook.callback)
        };
        hooks.iter().any(is_it)
    };
    let mut left_out = Vec::new();
    for instance in &plugin.instances {
        for hook in plugin.declared.iter().filter(|hook| !is_armed(instance, hook)) {
            left_out.push(LeftOut { point: hook.point.clone(), callback: format!("{instance}/{}", hook.callback) });
        }
    }
    Ok(PluginDetail { plugin, hooks, left_out, metadata })
}

fn hooks(core: &Arc<Core>, point: Option<&str>) -> Result<Vec<PointView>, Error> {
    let mut points = view::points(&core.registry);
    if let Some(point) = point {
        points.retain(|view| view.point == point);
        if points.is_empty() {
            return Err(ApiMisuse::NoPoint(point.into()).into());
        }
    }
    Ok(points)
}

fn set_level(core: &Arc<Core>, point: &str, level: Level) -> Result<PointView, Error> {
    core.set_level(point, level)?;
    Ok(hooks(core, Some(point))?.remove(0))
}

fn release(core: &Arc<Core>, point: &str, callback: &str) -> Result<PointView, Error> {
    core.release(point, callback)?;
    Ok(hooks(core, Some(point))?.remove(0))
}

fn trace(
    core: &Arc<Core>,
    point: &str,
    count: usize,
    condition: Option<Condition>,
    wait_ms: Option<u64>,
    asker: &impl Asker,
) -> Result<Vec<Trace>, Error> {
    if !(1..=MOST_TRACES).contains(&count) {
        return Err(
            ControlError::BadRequest(format!("`count` is {count}: from 1 to {MOST_TRACES} can be traced")).into()
        );
    }
    let traces = core.trace(point, condition, count)?;
    let wait = wait_ms.map_or(core.patience(), Duration::from_millis).min(LONGEST_WAIT);
    let deadline = Instant::now() + wait;
    let mut taken = Vec::new();
    // In slices: a host that ends is not held up by us, and a point is slow only while somebody waits.
    while taken.len() < count && Instant::now() < deadline && !core.table.is_closing() && !asker.is_gone() {
        let left = deadline.saturating_duration_since(Instant::now());
        taken.extend(traces.wait(count - taken.len(), left.min(SLICE)));
    }
    match traces.missing() {
        Some(missing) => Err(ControlError::NoField(missing).into()),
        None => Ok(taken),
    }
}

fn load(core: &Arc<Core>, file: &Path) -> Result<PluginView, Error> {
    is_absolute(file)?;
    // SAFETY: whoever asks may open the socket, so it is this user or root; both can run any code in
    // this process, and trust the file that they name.
    let plugin = unsafe { core.load(SealedCopy::of(file)?, Wishes::default())? };
    core.view(plugin.name())
}

fn upgrade(core: &Arc<Core>, name: &str, file: &Path, fresh: bool, wait_ms: Option<u64>) -> Result<Replaced, Error> {
    is_absolute(file)?;
    // SAFETY: as in `load`.
    let upgraded = unsafe { core.upgrade(&find(core, name)?, SealedCopy::of(file)?, fresh, None)? };
    Ok(replaced(core, upgraded, wait_ms))
}

fn log(core: &Arc<Core>, name: &str, level: LogLevel) -> Result<PluginView, Error> {
    core.table.set_log(&find(core, name)?, level)?;
    core.view(name)
}

fn stop(core: &Arc<Core>, name: &str) -> Result<PluginView, Error> {
    core.stop(&find(core, name)?)?;
    core.view(name)
}

fn start(core: &Arc<Core>, name: &str) -> Result<PluginView, Error> {
    match (core.table.plugin(name), Manager::of(core)) {
        (Some(plugin), _) => core.start(&plugin)?,
        (None, Some(manager)) => manager.start(name)?,
        (None, None) => return Err(ApiMisuse::NotLoaded(name.into()).into()),
    }
    core.view(name)
}

fn restart(core: &Arc<Core>, name: &str) -> Result<PluginView, Error> {
    if let Some(plugin) = core.table.plugin(name)
        && core.table.status(name) == Some(Status::Running)
        && core.stop(&plugin)? != Status::Stopped
    {
        return Err(ApiMisuse::Busy { plugin: name.into(), doing: "stopped" }.into());
    }
    start(core, name)
}

fn status(core: &Arc<Core>, report: Value) -> Program {
    Program {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").into(),
        uptime_ms: core.began.elapsed().as_millis() as u64,
        plugins: core.table.views().len(),
        report,
    }
}

fn find(core: &Arc<Core>, name: &str) -> Result<Plugin, ApiMisuse> {
    core.table.plugin(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))
}

/// What is known of a plugin that was unloaded.
fn unloaded(core: &Arc<Core>, name: &str) -> Option<PluginView> {
    let former = core.table.history(name);
    let GenerationView { generation, version, .. } = former.last()?.clone();
    Some(PluginView { generation, former, ..PluginView::absent(name, version, Status::Unloaded) })
}

/// The host may be in another folder than whoever asks.
fn is_absolute(file: &Path) -> Result<(), ControlError> {
    if file.is_absolute() { Ok(()) } else { Err(ControlError::RelativePath(file.into())) }
}

fn json(answer: Result<impl Serialize, impl Into<Error>>) -> Result<Value, Error> {
    Ok(serde_json::to_value(answer.map_err(Into::into)?).expect("views have text for keys, and are JSON"))
}

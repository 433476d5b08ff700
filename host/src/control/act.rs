//! What the commands do: a typed function each, and the one place that tells them apart.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::error::ControlError;
use super::wire::{Command, Ended, LeftOut, PlacedCallback, PluginDetail, Program, Replaced};
use crate::diagnostics::LogLevel;
use crate::error::{ApiMisuse, Error};
use crate::host::{Core, Plugin};
use crate::library::NoteHook;
use crate::stats::{Condition, Level, Trace};
use crate::unload::Ticket;
use crate::view::{self, GenerationView, PluginView, PointView, Status};

/// How many traces one command takes at most.
const MOST_TRACES: usize = 1000;

/// How long a wait goes without a look at whether the host ends.
const SLICE: Duration = Duration::from_millis(100);

/// The longest that a command waits.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Carries out a command. [`Command::Events`] has no answer here but that it may begin.
pub(super) fn act(core: &Arc<Core>, command: &Command, report: impl FnOnce() -> Value) -> Result<Value, Error> {
    match command {
        Command::Events => Ok(Value::Null),
        Command::Hooks { point } => json(hooks(core, point.as_deref())),
        Command::Level { point, level } => json(set_level(core, point, *level)),
        Command::List => json(Ok(list(core))),
        Command::Log { plugin, level } => json(log(core, plugin, *level)),
        Command::Load { file } => json(load(core, file)),
        Command::Release { point, callback } => json(release(core, point, callback)),
        Command::Show { plugin } => json(show(core, plugin)),
        Command::Start { plugin } => json(start(core, plugin)),
        Command::Status => json(Ok(status(core, report()))),
        Command::Stop { plugin } => json(stop(core, plugin)),
        Command::Trace { point, count, condition, wait_ms } => {
            json(trace(core, point, *count, condition.clone(), *wait_ms))
        }
        Command::Unload { plugin, wait_ms } => json(unload(core, plugin, *wait_ms)),
        Command::Upgrade { plugin, file, fresh, wait_ms } => json(upgrade(core, plugin, file, *fresh, *wait_ms)),
    }
}

/// Whether code of plugins may run in it, on the thread that carries it out.
pub(super) fn runs_plugins(command: &Command) -> bool {
    match command {
        Command::Events
        | Command::Hooks { .. }
        | Command::Level { .. }
        | Command::List
        | Command::Release { .. }
        | Command::Show { .. }
        | Command::Status
        | Command::Trace { .. } => false,
        Command::Load { .. }
        | Command::Log { .. }
        | Command::Start { .. }
        | Command::Stop { .. }
        | Command::Unload { .. }
        | Command::Upgrade { .. } => true,
    }
}

fn list(core: &Core) -> Vec<PluginView> {
    core.table.views()
}

fn show(core: &Core, name: &str) -> Result<PluginDetail, Error> {
    let plugin = view(core, name).or_else(|error| unloaded(core, name).ok_or(error))?;
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
    Ok(PluginDetail { plugin, hooks, left_out })
}

fn hooks(core: &Core, point: Option<&str>) -> Result<Vec<PointView>, Error> {
    let mut points = view::points(&core.registry);
    if let Some(point) = point {
        points.retain(|view| view.point == point);
        if points.is_empty() {
            return Err(ApiMisuse::NoPoint(point.into()).into());
        }
    }
    Ok(points)
}

fn set_level(core: &Core, point: &str, level: Level) -> Result<PointView, Error> {
    core.set_level(point, level)?;
    Ok(hooks(core, Some(point))?.remove(0))
}

fn release(core: &Core, point: &str, callback: &str) -> Result<PointView, Error> {
    core.release(point, callback)?;
    Ok(hooks(core, Some(point))?.remove(0))
}

fn trace(
    core: &Arc<Core>,
    point: &str,
    count: usize,
    condition: Option<Condition>,
    wait_ms: Option<u64>,
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
    // In slices, so that a host that ends is not held up by us.
    while taken.len() < count && Instant::now() < deadline && !core.table.is_closing() {
        let left = deadline.saturating_duration_since(Instant::now());
        taken.extend(traces.wait(count - taken.len(), left.min(SLICE)));
    }
    Ok(taken)
}

fn load(core: &Core, file: &Path) -> Result<PluginView, Error> {
    is_absolute(file)?;
    // SAFETY: whoever asks may open the socket, so it is this user or root; both can run any code in
    // this process, and trust the file that they name.
    let plugin = unsafe { core.load(file)? };
    view(core, plugin.name())
}

fn upgrade(core: &Arc<Core>, name: &str, file: &Path, fresh: bool, wait_ms: Option<u64>) -> Result<Replaced, Error> {
    is_absolute(file)?;
    // SAFETY: as in `load`.
    let upgraded = unsafe { core.upgrade(&find(core, name)?, file, fresh)? };
    let old = ended(core, upgraded.from, &upgraded.old, wait_ms);
    Ok(Replaced {
        plugin: name.into(),
        generation: upgraded.generation,
        version: upgraded.version,
        times: upgraded.times,
        old,
    })
}

fn unload(core: &Core, name: &str, wait_ms: Option<u64>) -> Result<Ended, Error> {
    let plugin = find(core, name)?;
    let ticket = core.begin_unload(&plugin)?;
    // It was remembered with its ticket, and is the newest that was.
    let generation = core.table.history(name).last().map_or(0, |former| former.generation);
    Ok(ended(core, generation, &ticket, wait_ms))
}

fn log(core: &Core, name: &str, level: LogLevel) -> Result<PluginView, Error> {
    core.table.set_log(&find(core, name)?, level)?;
    view(core, name)
}

fn stop(core: &Core, name: &str) -> Result<PluginView, Error> {
    core.stop(&find(core, name)?)?;
    view(core, name)
}

fn start(core: &Core, name: &str) -> Result<PluginView, Error> {
    core.start(&find(core, name)?)?;
    view(core, name)
}

fn status(core: &Core, report: Value) -> Program {
    Program {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").into(),
        uptime_ms: core.began.elapsed().as_millis() as u64,
        plugins: core.table.views().len(),
        report,
    }
}

/// The end of a generation, waited for.
fn ended(core: &Core, generation: u64, ticket: &Ticket, wait_ms: Option<u64>) -> Ended {
    let wait = wait_ms.map_or(core.patience(), Duration::from_millis).min(LONGEST_WAIT);
    // Before the waiting: only so many are remembered.
    let former = core.table.history(ticket.plugin()).into_iter().find(|former| former.generation == generation);
    let version = former.map(|former| former.version).unwrap_or_default();
    let end = ticket.wait(wait);
    Ended { plugin: ticket.plugin().into(), generation, version, end, skipped: ticket.skipped(), left: ticket.left() }
}

fn find(core: &Core, name: &str) -> Result<Plugin, ApiMisuse> {
    core.table.plugin(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))
}

fn view(core: &Core, name: &str) -> Result<PluginView, Error> {
    let view = core.table.views().into_iter().find(|view| view.name == name);
    Ok(view.ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?)
}

/// What is known of a plugin that was unloaded.
fn unloaded(core: &Core, name: &str) -> Option<PluginView> {
    let former = core.table.history(name);
    let GenerationView { generation, version, .. } = former.last()?.clone();
    Some(PluginView {
        name: name.into(),
        version,
        generation,
        status: Status::Unloaded,
        instances: Vec::new(),
        declared: Vec::new(),
        log: LogLevel::Off,
        memory: None,
        former,
    })
}

/// The host may be in another folder than whoever asks.
fn is_absolute(file: &Path) -> Result<(), ControlError> {
    if file.is_absolute() { Ok(()) } else { Err(ControlError::RelativePath(file.into())) }
}

fn json(answer: Result<impl Serialize, Error>) -> Result<Value, Error> {
    Ok(serde_json::to_value(answer?).expect("views have text for keys, and are JSON"))
}

//! Names that a shell may offer for an argument: of installed plugins, and of running hosts.
//!
//! The user has pressed a key and waits for names, not errors: what cannot be found out quickly is left out.

use std::ffi::OsStr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use hookrail::control::command::{Crashes, List, Points};
use hookrail::control::{Client, Manage, Running, running};
use hookrail::package::{Home, Trust};
use hookrail::store::Store;
use hookrail::{Config, LogLevel, StatsLevel};
use hookrail_abi::catalogue::BUILT_IN;

use crate::prebuilt::{PREBUILT, operators};
use crate::{running, settings};

/// The longest wait for the answers of running hosts. A host answers within milliseconds, or within tenths of a second
/// where a dozen processes share each core; only one that hangs makes the user wait this long.
const SOON: Duration = Duration::from_secs(1);

/// The plugins that are installed from packages.
pub(crate) fn installed() -> Vec<CompletionCandidate> {
    let Some(state) = home().and_then(|home| Store::open(home).ok()?.state().ok()) else { return Vec::new() };
    let installed = state.plugins().iter().filter_map(|(name, plugin)| {
        let version = plugin.current.as_ref()?;
        let kind = if state.settings(name).enabled { "enabled" } else { "disabled" };
        Some(candidate(name, format!("{version}, {kind}")))
    });
    installed.collect()
}

/// The installed plugins, and those that came with the program.
pub(crate) fn known() -> Vec<CompletionCandidate> {
    let prebuilt = operators().map(|name| candidate(name, "bundled with the program"));
    installed().into_iter().chain(prebuilt).collect()
}

/// The plugins of running hosts.
pub(crate) fn loaded() -> Vec<CompletionCandidate> {
    let plugins = ask(|host| host.ask(List::new()).unwrap_or_default());
    let loaded = plugins.into_iter().filter(|plugin| plugin.loaded);
    once(loaded.map(|plugin| candidate(&plugin.name, plugin.version)))
}

/// The reports of crashes that are kept.
pub(crate) fn crashes() -> Vec<CompletionCandidate> {
    let reports = ask(|host| host.ask(Crashes::new()).unwrap_or_default());
    once(reports.into_iter().map(|report| candidate(&report.id, report.end)))
}

/// The hook points of running hosts; those of the catalogue if none runs.
pub(crate) fn points() -> Vec<CompletionCandidate> {
    let points = ask(|host| host.ask(Points::new()).unwrap_or_default());
    if points.is_empty() {
        dispatched()
    } else {
        once(points.into_iter().map(|point| candidate(&point.point, point.kind.name())))
    }
}

/// The hook points of the catalogue that are dispatched.
pub(crate) fn dispatched() -> Vec<CompletionCandidate> {
    let points = BUILT_IN.iter().filter(|point| point.revision > 0);
    points.map(|point| CompletionCandidate::new(point.name)).collect()
}

/// The callbacks of running hosts, as instance/callback.
pub(crate) fn callbacks() -> Vec<CompletionCandidate> {
    let points = ask(|host| host.ask(Points::new()).unwrap_or_default());
    let callbacks =
        points.into_iter().flat_map(|point| point.chain.into_iter().map(move |at| (at, point.point.clone())));
    once(callbacks.map(|(at, point)| candidate(&at.callback, format!("on {point}"))))
}

/// The PIDs of running hosts.
pub(crate) fn processes() -> Vec<CompletionCandidate> {
    hosts().iter().map(|host| candidate(&host.pid.to_string(), running::describe(host))).collect()
}

/// The keys that are still trusted.
pub(crate) fn keys() -> Vec<CompletionCandidate> {
    let trust = home().and_then(|home| Trust::read(&home).ok()).unwrap_or_default();
    let keys = trust.keys().iter().filter(|known| known.revoked.is_none());
    keys.map(|known| candidate(&known.key.id().to_string(), &known.name)).collect()
}

/// The levels at which dispatches can be recorded.
pub(crate) fn levels() -> Vec<CompletionCandidate> {
    [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram]
        .map(|level| CompletionCandidate::new(level.name()))
        .into()
}

/// The log levels of plugins.
pub(crate) fn log_levels() -> Vec<CompletionCandidate> {
    use LogLevel::{Debug, Error, Info, Off, Trace, Warn};
    [Off, Error, Warn, Info, Debug, Trace].map(|level| CompletionCandidate::new(level.name())).into()
}

/// Files with one of these endings, and directories on the way to them.
pub(crate) fn files(endings: &'static [&str]) -> ArgValueCompleter {
    ArgValueCompleter::new(of_kind(endings))
}

/// Prebuilt plugins by name, others by file.
pub(crate) fn plugins() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let typed = current.to_string_lossy();
        let names = PREBUILT.iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new);
        names.chain(of_kind(&["so"]).complete(current)).collect()
    })
}

fn of_kind(endings: &'static [&str]) -> PathCompleter {
    let is_one = |found: &OsStr| endings.iter().any(|ending| found == *ending);
    PathCompleter::file().filter(move |path| path.is_file() && path.extension().is_some_and(is_one))
}

/// A name to offer, and a description for shells that have room for one. On one line, since shells split at newlines.
fn candidate(name: &str, about: impl AsRef<str>) -> CompletionCandidate {
    let about: String = about.as_ref().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    CompletionCandidate::new(name).help((!about.is_empty()).then(|| about.into()))
}

/// Each name once: several hosts may have it.
fn once(candidates: impl Iterator<Item = CompletionCandidate>) -> Vec<CompletionCandidate> {
    let mut candidates: Vec<_> = candidates.collect();
    candidates.sort_by(|a, b| a.get_value().cmp(b.get_value()));
    candidates.dedup_by(|a, b| a.get_value() == b.get_value());
    candidates
}

/// The home, if it exists: looking for names is no reason to create it.
fn home() -> Option<Home> {
    let path = settings::home().ok()?;
    path.is_dir().then(|| Home::open(&path).ok())?
}

fn hosts() -> Vec<Running> {
    let home = settings::home().unwrap_or_else(|_| Config::default().home_dir());
    running(&home).unwrap_or_default()
}

/// The answers of all running hosts that arrive in time. Threads that wait for the others are left running: this
/// process is about to end.
fn ask<T: Send + 'static>(question: fn(&mut Client) -> Vec<T>) -> Vec<T> {
    let until = Instant::now() + SOON;
    let (sender, receiver) = mpsc::channel();
    for host in hosts() {
        let sender = sender.clone();
        thread::spawn(move || {
            let answer = Client::connect(host.socket).map(|mut host| question(&mut host));
            // If it took too long, the receiver is gone.
            let _ = sender.send(answer.unwrap_or_default());
        });
    }
    drop(sender);
    let mut answers = Vec::new();
    while let Ok(answer) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        answers.extend(answer);
    }
    answers
}

//! `hookrail hooks`: the points, and who hangs on them.

mod explain;
mod stats;
mod trace;

use std::fmt::Write;

use hookrail::control::wire::Command;
use hookrail::control::{Client, Manage};
use hookrail::{CallbackView, Level, PointView, Standing};

use crate::args::{Chains, Hooks};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::table::{Column, Target, table};
use crate::{plugins, print, remote, talk};

pub(crate) fn run(command: &Hooks) -> Result<ExitCode, Error> {
    match command {
        Hooks::List { chains } => {
            let points = points(chains)?;
            if chains.json { print::json(&points)? } else { print::line(all(&points))? }
        }
        Hooks::Show { point, chains } => {
            let points = points(chains)?;
            let shown = find(&points, point)?;
            if chains.json { print::json(shown)? } else { print::line(one(shown))? }
        }
        Hooks::Explain { point, chains } => {
            let points = points(chains)?;
            let shown = find(&points, point)?;
            if chains.json { print::json(shown)? } else { print::line(explain::explain(shown))? }
        }
        Hooks::Level { point, level, common } => {
            let view = remote::connect(&common.selection)?.set_level(point, *level)?;
            changed(&view, common.json)?;
        }
        Hooks::Release { point, callback, common } => {
            let view = remote::connect(&common.selection)?.release(point, callback)?;
            changed(&view, common.json)?;
        }
        Hooks::Stats { point, watch, common } => stats::run(point.as_deref(), *watch, common)?,
        Hooks::Trace { point, count, condition, wait, common } => {
            let command = Command::Trace {
                point: point.clone(),
                count: (*count).into(),
                condition: condition.clone(),
                wait_ms: u64::try_from(wait.as_millis()).ok(),
            };
            return trace::run(&command, (*count).into(), common);
        }
    }
    Ok(ExitCode::Ok)
}

/// A point that was changed.
fn changed(view: &PointView, json: bool) -> Result<(), Error> {
    if json { print::json(view) } else { print::line(explain::explain(view)) }
}

fn find<'a>(points: &'a [PointView], point: &str) -> Result<&'a PointView, Error> {
    points.iter().find(|view| view.point == point).ok_or_else(|| Error::NoPoint(point.into()))
}

/// The points of the running host that is meant, or of one that has the plugins that were named.
fn points(Chains { selection, setup, .. }: &Chains) -> Result<Vec<PointView>, Error> {
    if !selection.is_empty() {
        return Ok(remote::connect(selection)?.hooks()?);
    }
    let running = if setup.is_empty() { remote::all()? } else { Vec::new() };
    match &running[..] {
        [] => {}
        [only] => {
            talk::line(format_args!("in the running host {}", remote::describe(only)));
            return Ok(Client::connect(&only.socket)?.hooks()?);
        }
        several => {
            let count = several.len();
            talk::line(format_args!("{count} hosts are running, and this is none of them: --pid PID shows one"));
        }
    }
    Ok(plugins::host(setup)?.points())
}

/// The points that are dispatched, each with its chain; the planned ones behind them, in short.
fn all(points: &[PointView]) -> String {
    let (planned, dispatched): (Vec<_>, Vec<_>) = points.iter().partition(|view| view.revision == 0);
    let mut text = String::new();
    for view in dispatched {
        let _ = write!(text, "{}\n\n", one(view));
    }
    text.push_str("planned: nobody dispatches these yet, and plugins that hook them are refused\n");
    let rows = planned.iter().map(|view| vec![view.point.clone(), view.kind.to_string()]);
    text.push_str(&table(Target::Stdout, &[Column::Text("point"), Column::Text("kind")], rows));
    text
}

fn one(view: &PointView) -> String {
    let mut text = format!("{}: {}", print::bold(&view.point), about(view));
    if view.chain.is_empty() {
        text.push_str("\n  no callbacks");
    } else {
        text.push('\n');
        text.push_str(&chain(&view.chain));
    }
    text
}

fn about(view: &PointView) -> String {
    let mut about = view.kind.to_string();
    if view.deniable {
        about.push_str(", may be denied");
    }
    if view.local {
        about.push_str(", local");
    }
    if view.revision > 0 {
        let _ = write!(about, ", revision {}", view.revision);
    }
    if view.level > Level::Off {
        let _ = write!(about, ", level {}", view.level.name());
    }
    about.push_str(&traced(view));
    match &view.dispatched_by {
        Some(by) => _ = write!(about, ", dispatched by {by}"),
        None if view.revision == 0 => about.push_str(", planned: nobody dispatches it yet"),
        None => {}
    }
    about
}

/// By how many it is being traced, where it is any: it is slower meanwhile.
fn traced(view: &PointView) -> String {
    if view.tracers == 0 { String::new() } else { format!(", traced by {}", view.tracers) }
}

/// A chain, in the order in which it runs.
pub(crate) fn chain(chain: &[CallbackView]) -> String {
    let columns = [
        Column::Number("order"),
        Column::Number("priority"),
        Column::Text("origin"),
        Column::Text("instance"),
        Column::Text("callback"),
        Column::Text("effects"),
        Column::Text("on fault"),
    ];
    let mut order = 0;
    let rows = chain.iter().map(|entry| {
        order += u32::from(entry.enabled);
        vec![
            if entry.enabled { order.to_string() } else { "off".into() },
            entry.priority.to_string(),
            origin(entry),
            entry.instance.clone(),
            entry.callback.clone(),
            entry.effects.to_string(),
            fault(entry).into(),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

/// What a fault of it means.
pub(crate) fn fault(entry: &CallbackView) -> &'static str {
    match &*entry.fault {
        "closed" => "deny",
        "rollback" => "put back, go on",
        _ => "go on",
    }
}

/// Where its priority comes from.
pub(crate) fn origin(entry: &CallbackView) -> String {
    let origin = match entry.declared {
        Some(declared) => format!("overridden, was {declared}"),
        None => entry.origin.to_string(),
    };
    if entry.standing == Standing::Armed { origin } else { format!("{}, {origin}", entry.standing.name()) }
}

#[cfg(test)]
mod tests {
    use hookrail::Calls;

    use super::*;

    pub(super) fn entry(callback: &str, priority: i32) -> CallbackView {
        CallbackView {
            priority,
            origin: "declared".into(),
            declared: None,
            instance: "a".into(),
            callback: callback.into(),
            effects: "pure".into(),
            fault: "open".into(),
            enabled: true,
            standing: Standing::Armed,
            reason: None,
            budget_ns: None,
            faults: 0,
            last_fault: None,
            slow: 0,
            stuck: 0,
            stuck_now: 0,
            calls: Calls::default(),
            latency: None,
        }
    }

    #[test]
    fn a_disabled_callback_is_shown_but_has_no_place_in_the_order() {
        let off = CallbackView { enabled: false, standing: Standing::Disabled, ..entry("off", 2) };
        let text = chain(&[entry("first", 1), off, entry("second", 3)]);
        let orders: Vec<_> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(orders, ["1", "off", "2"], "{text}");
        assert!(text.contains("disabled, declared"), "{text}");
    }

    #[test]
    fn an_override_shows_what_the_plugin_declared() {
        let overridden = CallbackView { origin: "overridden".into(), declared: Some(500), ..entry("x", 7) };
        assert_eq!(origin(&overridden), "overridden, was 500");
    }
}

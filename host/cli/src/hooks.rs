//! `hookrail hooks`: the points, and who hangs on them.

use std::fmt::Write;

use hookrail::control::Client;
use hookrail::{CallbackView, PointView};

use crate::args::{Hooks, Selection, Setup};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::table::{Column, Target, table};
use crate::{plugins, print, remote, talk};

pub(crate) fn run(command: &Hooks) -> Result<ExitCode, Error> {
    match command {
        Hooks::List { json, selection, setup } => {
            let points = points(selection, setup)?;
            if *json { print::json(&points)? } else { print::line(all(&points))? }
        }
        Hooks::Show { point, json, selection, setup } => {
            let points = points(selection, setup)?;
            let shown = points.iter().find(|view| view.point == *point);
            let shown = shown.ok_or_else(|| Error::NoPoint(point.clone()))?;
            if *json { print::json(shown)? } else { print::line(one(shown))? }
        }
    }
    Ok(ExitCode::Ok)
}

/// The points of the running host that is meant, or of one that has the plugins that were named.
fn points(selection: &Selection, setup: &Setup) -> Result<Vec<PointView>, Error> {
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
    match &view.dispatched_by {
        Some(by) => _ = write!(about, ", dispatched by {by}"),
        None if view.revision == 0 => about.push_str(", planned: nobody dispatches it yet"),
        None => {}
    }
    about
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
    if entry.fault == "closed" { "deny" } else { "go on" }
}

/// Where its priority comes from.
pub(crate) fn origin(entry: &CallbackView) -> String {
    match (entry.declared, entry.enabled) {
        (Some(declared), true) => format!("overridden, was {declared}"),
        (Some(declared), false) => format!("disabled, overridden, was {declared}"),
        (None, true) => entry.origin.to_string(),
        (None, false) => format!("disabled, {}", entry.origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(callback: &str, priority: i32) -> CallbackView {
        CallbackView {
            priority,
            origin: "declared".into(),
            declared: None,
            instance: "a".into(),
            callback: callback.into(),
            effects: "pure".into(),
            fault: "open".into(),
            enabled: true,
            faults: 0,
        }
    }

    #[test]
    fn a_disabled_callback_is_shown_but_has_no_place_in_the_order() {
        let off = CallbackView { enabled: false, ..entry("off", 2) };
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

//! Showing the counts.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use hookrail::control::command::Points;
use hookrail::control::{Client, Manage};
use hookrail::{CallbackStatus, CallbackView, PointView, StatsLevel};

use super::find::find;
use super::text::traced;
use crate::args::Common;
use crate::error::Error;
use crate::table::{Column, Target, table};
use crate::{duration, harmless, print, remote, stdout};

/// Shows the counts once, or every second.
pub(super) fn run(point: Option<&str>, watch: bool, common: &Common) -> Result<(), Error> {
    const PAUSE: Duration = Duration::from_secs(1);
    let mut client = remote::connect(&common.selection)?;
    let mut before: Option<(Instant, Vec<PointView>)> = None;
    loop {
        let points = ask(&mut client, point)?;
        if common.json {
            print::compact(&points)?;
        } else {
            let since = before.as_ref().map(|(at, points)| (at.elapsed(), &points[..]));
            let text = points_text(&points, point.is_some(), since);
            // On a terminal the picture is redrawn in place.
            if watch && stdout::ours().is_terminal() { print::screen(&text)? } else { print::lines(text)? }
        }
        if !watch {
            return Ok(());
        }
        before = Some((Instant::now(), points));
        std::thread::sleep(PAUSE);
    }
}

fn ask(client: &mut Client, point: Option<&str>) -> Result<Vec<PointView>, Error> {
    let mut points = client.ask(Points::new())?;
    if let Some(point) = point {
        return Ok(vec![find(&points, point)?.clone()]);
    }
    points.retain(|view| view.revision > 0);
    Ok(points)
}

fn points_text(points: &[PointView], in_full: bool, before: Option<(Duration, &[PointView])>) -> String {
    if let ([view], true) = (points, in_full) {
        return one(view, before.and_then(|(since, points)| Some((since, points.first()?))));
    }
    let columns = [
        Column::Text("point"),
        Column::Text("level"),
        Column::Number("dispatches"),
        Column::Number("empty"),
        Column::Number("callbacks"),
        Column::Number("faults"),
        Column::Text("never called"),
    ];
    let rows = points.iter().map(|view| {
        vec![
            view.point.clone(),
            format!("{}{}", view.level.name(), traced(view)),
            counted(view, view.dispatches),
            counted(view, view.empty),
            view.chain.len().to_string(),
            view.chain.iter().map(|entry| entry.faults).sum::<u64>().to_string(),
            never_called(view),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

/// A count, if the point is counted.
fn counted(view: &PointView, count: u64) -> String {
    if view.level == StatsLevel::Off && view.dispatches == 0 { "-".into() } else { count.to_string() }
}

fn never_called(view: &PointView) -> String {
    if view.level == StatsLevel::Off {
        return String::new();
    }
    if view.dispatches == 0 {
        return "the point was never dispatched".into();
    }
    let never = view.chain.iter().filter(|entry| entry.enabled && entry.calls.total == 0);
    never.map(|entry| &*entry.callback).collect::<Vec<_>>().join(", ")
}

fn one(view: &PointView, before: Option<(Duration, &PointView)>) -> String {
    if view.revision == 0 {
        return format!("{}: no host dispatches it yet, so no callback is called", print::bold(&view.point));
    }
    let mut text = format!("{}: level {}{}", print::bold(&view.point), view.level.name(), traced(view));
    if view.level == StatsLevel::Off && view.dispatches == 0 {
        text.push_str(&format!(
            ", so only faults are counted; `hookrail hooks set-level {} count` counts all",
            view.point
        ));
    } else {
        text.push_str(&format!(", {} dispatches", view.dispatches));
        if let Some((since, before)) = before {
            let each_second = view.dispatches.saturating_sub(before.dispatches) as f64 / since.as_secs_f64();
            text.push_str(&format!(" ({each_second:.0} a second)"));
        }
        text.push_str(&format!(", {} of them without a callback", view.empty));
    }
    text.push('\n');
    text.push_str(&callbacks(&view.chain));
    for entry in &view.chain {
        if let Some(fault) = &entry.last_fault {
            let ago = fault.time.elapsed().unwrap_or_default();
            let last = format!(
                "{}{}, {} ago: {}",
                entry.callback,
                fault.generation.map(|number| format!(", generation {number}")).unwrap_or_default(),
                duration::text(ago),
                fault.message
            );
            text.push_str(&format!("\n  {}", harmless::part(last)));
        }
    }
    text
}

fn callbacks(chain: &[CallbackView]) -> String {
    let columns = [
        Column::Text("callback"),
        Column::Number("calls"),
        Column::Number("skip"),
        Column::Number("deny"),
        Column::Number("fault"),
        Column::Number("missed"),
        Column::Number("slow"),
        Column::Number("stuck"),
        Column::Number("p50"),
        Column::Number("p99"),
        Column::Number("p99.9"),
        Column::Number("max"),
        Column::Text("status"),
    ];
    let rows = chain.iter().map(|entry| {
        let times = entry.latency.map(|latency| [latency.p50_ns, latency.p99_ns, latency.p999_ns, latency.max_ns]);
        let times = times.map_or_else(
            || [const { String::new() }; 4],
            |times| times.map(|time| duration::text(Duration::from_nanos(time))),
        );
        let CallbackView { calls, faults, missed, slow, stuck, .. } = entry;
        let counts = [calls.total, calls.skipped, calls.denied, *faults, *missed, *slow, *stuck];
        let state = if entry.status == CallbackStatus::Armed { String::new() } else { entry.status.name().into() };
        let mut row = vec![entry.callback.clone()];
        row.extend(counts.map(|count| count.to_string()));
        row.extend(times);
        row.push(state);
        row
    });
    table(Target::Stdout, &columns, rows)
}

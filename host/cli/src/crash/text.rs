//! Reports for people.

use std::fmt::Write;

use hookrail::time::rfc3339;
use hookrail::{CrashReport, LostCall};

use crate::harmless::part;
use crate::table::{Column, Target, table};

pub(super) fn list(reports: &[CrashReport]) -> String {
    if reports.is_empty() {
        return "no worker has crashed".into();
    }
    let columns = [
        Column::Text("id"),
        Column::Text("time"),
        Column::Text("worker"),
        Column::Text("end"),
        Column::Number("lost calls"),
    ];
    let row = |report: &CrashReport| {
        let CrashReport { id, time, worker, end, lost, .. } = report;
        vec![id.clone(), rfc3339(*time), worker.clone(), end.clone(), lost.len().to_string()]
    };
    table(Target::Stdout, &columns, reports.iter().map(row))
}

pub(super) fn one(report: &CrashReport) -> String {
    let CrashReport { id, time, worker, plugins, end, backtrace, lost, .. } = report;
    let mut text = format!("crash {}\n", part(id.to_string()));
    let mut line = |name: &str, what: &str| _ = writeln!(text, "  {name:9} {}", part(what.to_string()));
    line("time", &rfc3339(*time));
    line("worker", worker);
    line("end", end);
    for plugin in plugins {
        line("plugin", &format!("{} {}, {}", plugin.name, plugin.version, plugin.file.display()));
    }
    if backtrace.is_empty() {
        line("place", "not known: it was killed, or could not say");
    } else {
        text.push_str("  place, innermost first\n");
        backtrace
            .iter()
            .enumerate()
            .for_each(|(index, name)| _ = writeln!(text, "  {index:4}: {}", part(name.to_string())));
    }
    for (number, call) in (1..).zip(lost) {
        let LostCall { point, callback, input, without_input, .. } = call;
        _ = writeln!(text, "  lost call {number}: {} on {}", part(callback.to_string()), part(point.to_string()));
        match (input, without_input) {
            (Some(input), _) => _ = writeln!(text, "    {}", part(input.to_string())),
            (None, Some(why)) => _ = writeln!(text, "    its input is not kept: {}", part(why.to_string())),
            (None, None) => {}
        }
    }
    if lost.iter().any(|call| call.input.is_some()) {
        _ = write!(text, "to make a lost call again: hookrail crash replay {}", part(id.to_string()));
    } else if !lost.is_empty() {
        text.push_str("inputs are kept where the plugin's worker has keep_input = true");
    }
    text
}

//! Pipelines in readable form.

use std::collections::BTreeMap;

use hookrail::{EndpointState, PipelineView, SinkView};
use indicatif::HumanBytes;

use crate::harmless::part;
use crate::print::bold;
use crate::table::{Column, Target, table};

/// All of them: a line for each.
pub(crate) fn all(pipelines: &[PipelineView]) -> String {
    if pipelines.is_empty() {
        return "  no pipelines".into();
    }
    let columns = [
        Column::Text("pipeline"),
        Column::Text("state"),
        Column::Number("received"),
        Column::Number("delivered"),
        Column::Number("dropped"),
        Column::Number("held"),
    ];
    let rows = pipelines.iter().map(|pipeline| {
        let of_sinks = |count: fn(&SinkView) -> u64| pipeline.sinks.iter().map(count).sum::<u64>();
        let dropped = pipeline.dropped.values().sum::<u64>() + of_sinks(|sink| sink.dropped.values().sum());
        vec![
            pipeline.name.clone(),
            pipeline.state.name().into(),
            pipeline.received.to_string(),
            of_sinks(|sink| sink.delivered).to_string(),
            dropped.to_string(),
            of_sinks(|sink| sink.held).to_string(),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

/// One of them, with its sources and sinks.
pub(super) fn one(pipeline: &PipelineView) -> String {
    let PipelineView { name, state, received, routed, dropped, .. } = pipeline;
    let lost = reasons(dropped);
    let lost = if lost.is_empty() { String::new() } else { format!(", {lost} dropped") };
    let head = format!("{} is {}: {received} received, {routed} routed{lost}", bold(name), state.name());
    let columns = [Column::Text("source"), Column::Text("use"), Column::Text("state"), Column::Number("sent")];
    let sources = pipeline.sources.iter().map(|source| {
        vec![
            source.name.clone(),
            source.uses.clone(),
            doing(source.state, source.restarts, source.reason.as_deref()),
            source.sent.to_string(),
        ]
    });
    let sources = table(Target::Stdout, &columns, sources);
    let columns = [
        Column::Text("sink"),
        Column::Text("use"),
        Column::Text("state"),
        Column::Number("delivered"),
        Column::Text("dropped"),
        Column::Number("held"),
        Column::Text("queue"),
    ];
    let sinks = pipeline.sinks.iter().map(|sink| {
        vec![
            sink.name.clone(),
            sink.uses.clone(),
            doing(sink.state, sink.restarts, sink.reason.as_deref()),
            sink.delivered.to_string(),
            reasons(&sink.dropped),
            sink.held.to_string(),
            queue(sink),
        ]
    });
    format!("{head}\n\n{sources}\n\n{}", table(Target::Stdout, &columns, sinks))
}

/// `block 1024 or 64 MiB`, `spill 1024 or 64 MiB, 3.2 MiB of 1 GiB on disk`
fn queue(sink: &SinkView) -> String {
    let mut text = format!("{} {} or {}", sink.policy, sink.capacity, HumanBytes(sink.memory));
    if let Some(disk) = &sink.disk {
        text.push_str(&format!(", {} of {} on disk", HumanBytes(disk.bytes), HumanBytes(disk.size)));
        if disk.damaged > 0 {
            text.push_str(&format!(", {} damaged", disk.damaged));
        }
    }
    text
}

fn doing(state: EndpointState, restarts: u64, reason: Option<&str>) -> String {
    let mut text = state.name().to_owned();
    if restarts > 0 {
        text.push_str(&format!(", restarted {restarts} times"));
    }
    if let Some(reason) = reason {
        text.push_str(": ");
        text.push_str(&part(reason.into()));
    }
    text
}

/// `3 denied, 1 full`
fn reasons(dropped: &BTreeMap<String, u64>) -> String {
    let each: Vec<_> = dropped.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    each.join(", ")
}

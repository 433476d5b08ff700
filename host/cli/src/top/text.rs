//! The picture.

use std::time::Duration;

use super::rates::{Callback, Pipeline, Rates};
use crate::duration;
use crate::table::{Column, Target, table};

pub(super) fn text(rates: &Rates) -> String {
    let Rates { seconds, pipelines, callbacks } = rates;
    let mut text = format!("of the last {}\n", duration::text(Duration::from_secs_f64(*seconds)));
    if !pipelines.is_empty() {
        text.push_str(&of_pipelines(pipelines));
        text.push_str("\n\n");
    }
    text.push_str(&of_callbacks(callbacks));
    if callbacks.iter().any(|callback| callback.calls_per_s.is_none()) {
        text.push_str(
            "\n  - is not counted: `hookrail hooks set-level POINT count` counts, `histogram` also takes times",
        );
    }
    text
}

fn of_pipelines(pipelines: &[Pipeline]) -> String {
    let columns = [
        Column::Text("pipeline"),
        Column::Text("sink"),
        Column::Text("state"),
        Column::Number("in/s"),
        Column::Number("out/s"),
        Column::Number("drop/s"),
        Column::Number("held"),
        Column::Text("dropped so far"),
    ];
    let rows = pipelines.iter().flat_map(|pipeline| {
        let own = vec![
            pipeline.pipeline.clone(),
            String::new(),
            pipeline.state.into(),
            number(pipeline.received_per_s),
            String::new(),
            number(pipeline.dropped_per_s),
            String::new(),
            String::new(),
        ];
        let sinks = pipeline.sinks.iter().map(|sink| {
            let reasons: Vec<_> = sink.dropped.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            vec![
                String::new(),
                sink.sink.clone(),
                sink.state.into(),
                String::new(),
                number(sink.delivered_per_s),
                number(sink.dropped_per_s),
                format!("{} of {}", sink.held, sink.capacity),
                reasons.join(", "),
            ]
        });
        std::iter::once(own).chain(sinks).collect::<Vec<_>>()
    });
    table(Target::Stdout, &columns, rows)
}

fn of_callbacks(callbacks: &[Callback]) -> String {
    let columns = [
        Column::Text("point"),
        Column::Text("callback"),
        Column::Text("status"),
        Column::Number("calls/s"),
        Column::Number("deny/s"),
        Column::Number("faults"),
        Column::Number("p50"),
        Column::Number("p99"),
        Column::Number("max"),
    ];
    let rows = callbacks.iter().map(|callback| {
        let time = |nanoseconds: Option<u64>| {
            nanoseconds.map_or_else(|| "-".into(), |time| duration::text(Duration::from_nanos(time)))
        };
        let rate = |rate: Option<f64>| rate.map_or_else(|| "-".into(), number);
        vec![
            callback.point.clone(),
            callback.callback.clone(),
            callback.status.into(),
            rate(callback.calls_per_s),
            rate(callback.denied_per_s),
            callback.faults.to_string(),
            time(callback.p50_ns),
            time(callback.p99_ns),
            time(callback.max_ns),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

/// A rate, with a digit behind the point where that says something.
fn number(rate: f64) -> String {
    if rate == 0.0 || rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

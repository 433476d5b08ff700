//! Pipelines, as a whole.

use super::Family;
use super::endpoints::{Sinks, Sources, by_reason};
use crate::pipeline::{PipelineState, PipelineView};

/// The families of pipelines, their sources and their sinks.
///
/// While nothing is under way, they add up as [`PipelineView`] does: received = dropped + routed, and for each sink
/// given = delivered + dropped + held.
pub fn of_pipelines(pipelines: &[PipelineView]) -> Vec<Family> {
    let counter = |name: &str, help: &str| Family::counter(format!("hookrail_pipeline_{name}_messages_total"), help);
    let mut state = Family::gauge("hookrail_pipeline_state", "1 for the state of the pipeline, 0 for the others.");
    let mut received = counter("received", "Messages that the pipeline's sources have sent.");
    let mut dropped = counter("dropped", "Those of the received messages that reached no sink, by reason.");
    let mut routed = counter("routed", "Those of the received messages that were given to one sink or more.");
    let (mut sources, mut sinks) = (Sources::default(), Sinks::default());
    for pipeline in pipelines {
        let name = ("pipeline", &*pipeline.name);
        for each in [PipelineState::Halted, PipelineState::Running, PipelineState::Stopped, PipelineState::Stopping] {
            state.add([name, ("state", each.name())], (pipeline.state == each).into());
        }
        received.add([name], pipeline.received);
        routed.add([name], pipeline.routed);
        for (reason, count) in by_reason(&pipeline.dropped) {
            dropped.add([name, ("reason", reason)], count);
        }
        pipeline.sources.iter().for_each(|source| sources.add(&pipeline.name, source));
        pipeline.sinks.iter().for_each(|sink| sinks.add(&pipeline.name, sink));
    }
    [state, received, dropped, routed].into_iter().chain(sources.all()).chain(sinks.all()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::metrics::text;
    use crate::pipeline::{EndpointState, SinkView, SourceView};

    #[test]
    fn each_count_of_a_pipeline_is_a_series() {
        let mut pipeline = PipelineView::new("logs", PipelineState::Running);
        (pipeline.received, pipeline.routed) = (5, 3);
        pipeline.dropped = BTreeMap::from([("denied".into(), 2)]);
        let mut source = SourceView::new("files", "tail", EndpointState::Failed);
        (source.sent, source.restarts) = (5, 4);
        let mut sink = SinkView::new("all", "file-log", EndpointState::Running, "block", 1024);
        (sink.given, sink.delivered, sink.held) = (3, 1, 2);
        (sink.held_bytes, sink.memory) = (300, 4096);
        (pipeline.sources, pipeline.sinks) = (vec![source], vec![sink]);
        let shown = text(&of_pipelines(&[pipeline]));
        for line in [
            r#"hookrail_pipeline_state{pipeline="logs",state="running"} 1"#,
            r#"hookrail_pipeline_state{pipeline="logs",state="stopped"} 0"#,
            r#"hookrail_pipeline_received_messages_total{pipeline="logs"} 5"#,
            r#"hookrail_pipeline_dropped_messages_total{pipeline="logs",reason="denied"} 2"#,
            r#"hookrail_pipeline_routed_messages_total{pipeline="logs"} 3"#,
            r#"hookrail_source_up{pipeline="logs",source="files"} 0"#,
            r#"hookrail_source_restarts_total{pipeline="logs",source="files"} 4"#,
            r#"hookrail_source_sent_messages_total{pipeline="logs",source="files"} 5"#,
            r#"hookrail_sink_up{pipeline="logs",sink="all"} 1"#,
            r#"hookrail_sink_given_messages_total{pipeline="logs",sink="all"} 3"#,
            r#"hookrail_sink_delivered_messages_total{pipeline="logs",sink="all"} 1"#,
            r#"hookrail_sink_dropped_messages_total{pipeline="logs",reason="full",sink="all"} 0"#,
            r#"hookrail_sink_held_messages{pipeline="logs",sink="all"} 2"#,
            r#"hookrail_sink_capacity_messages{pipeline="logs",sink="all"} 1024"#,
            r#"hookrail_sink_memory_bytes{pipeline="logs",sink="all"} 300"#,
            r#"hookrail_sink_memory_limit_bytes{pipeline="logs",sink="all"} 4096"#,
        ] {
            assert!(shown.contains(&format!("{line}\n")), "{line} is missing in\n{shown}");
        }
    }
}

//! Endpoints that fail, panic, return at once, or do not return.

use hookrail::{End, EndpointState, PipelineConfig, QueueConfig, SinkConfig, SourceConfig};
use hookrail_tests::probe::eventually;
use serde_json::json;

use crate::scenes::{PLUGIN, Pipes, SOON, numbers};

#[test]
fn a_source_that_fails_or_panics_is_started_again_where_it_was() {
    for how in ["fails_at", "panics_at"] {
        let pipes = Pipes::new();
        let source = json!({ "until": 500, "batch": 10, (how): 250 });
        pipes.start(source, pipes.sink("out", json!({}), QueueConfig::default()));
        let view = pipes.finish();
        assert_eq!(view.sources[0].restarts, 1, "{how}");
        assert_eq!(pipes.lines("out"), numbers(500), "{how}: in order, none twice");
    }
}

#[test]
fn what_a_sink_has_not_answered_for_comes_again() {
    for how in ["fails_every", "panics_every"] {
        let pipes = Pipes::new();
        pipes.start(
            json!({ "until": 100, "batch": 10 }),
            pipes.sink("out", json!({ (how): 4 }), QueueConfig::default()),
        );
        let view = pipes.finish();
        assert!(view.sinks[0].restarts > 0, "{how}");
        assert_eq!(pipes.lines("out"), numbers(100), "{how}: in order, none twice");
    }
}

#[test]
fn a_source_that_is_refused_says_why_and_is_tried_again() {
    let pipes = Pipes::new();
    let refused_while = pipes.file("in the way");
    std::fs::write(&refused_while, "").unwrap();
    let source = json!({ "until": 1, "refused_while": refused_while });
    pipes.start(source, pipes.sink("out", json!({}), QueueConfig::default()));
    eventually("it is tried again", || pipes.view().sources[0].restarts > 1);
    eventually("its reason is shown", || {
        let source = pipes.view().sources.remove(0);
        let why = source.reason.unwrap_or_default();
        source.state == EndpointState::Failed && why.contains("it is refused, as its configuration says")
    });
    std::fs::remove_file(refused_while).unwrap();
    assert_eq!(pipes.finish().sinks[0].delivered, 1);
}

#[test]
fn a_sink_that_returns_at_once_is_a_failure_and_stops_no_other_pipeline() {
    let pipes = Pipes::new();
    let returns = pipes.sink("never", json!({ "returns": true }), QueueConfig::default().with_capacity(5));
    pipes.start(json!({ "until": 100 }), returns);
    let other = PipelineConfig::default()
        .with_source("in", SourceConfig::new(PLUGIN).with_config(json!({ "until": 100 })))
        .with_sink("out", pipes.sink("out", json!({}), QueueConfig::default()));
    pipes.streams.add("other", &other).unwrap();
    pipes.streams.start("other").unwrap();
    eventually("the other one has delivered all", || pipes.lines("out").len() == 100);
    eventually("the failure is shown", || {
        let why = pipes.view().sinks.remove(0).reason.unwrap_or_default();
        why.contains("it returned, though messages may come")
    });
    eventually("its source waits", || pipes.view().sinks[0].held == 5);
}

#[test]
fn endpoints_without_a_plugin_wait_for_it_and_say_so() {
    let pipes = Pipes::new();
    let sink = SinkConfig::new("nobody");
    pipes.start(json!({ "until": 5 }), sink);
    eventually("it waits", || pipes.view().sinks[0].state == EndpointState::Waiting);
    let why = pipes.view().sinks[0].reason.clone().unwrap();
    assert!(why.contains("`nobody` does not run"), "{why}");
    eventually("the messages are held", || pipes.view().sinks[0].held == 5);
}

#[test]
fn an_endpoint_that_does_not_return_keeps_its_plugin_and_is_named() {
    let pipes = Pipes::new();
    let sink = pipes.sink("out", json!({ "ends_when": pipes.file("end") }), QueueConfig::default());
    pipes.start(json!({ "until": 5 }), sink);
    eventually("all is delivered", || pipes.lines("out").len() == 5);
    let ticket = pipes.host.begin_unload(&pipes.plugin).unwrap();
    eventually("the sink is to end", || pipes.view().sinks[0].state == EndpointState::Closing);
    eventually("the unload says what it waits for", || matches!(ticket.wait_timeout(SOON), End::Busy(1)));
    pipes.tell("end");
    assert_eq!(ticket.wait(), End::Unmapped);
}

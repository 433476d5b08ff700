//! What is sent is delivered, or dropped for a reason that is counted, or held; under each policy.

use std::collections::BTreeMap;

use hookrail::{PipelineConfig, QueueConfig, QueuePolicy, SourceConfig};
use serde_json::json;

use crate::scenes::{PLUGIN, Pipes, adds_up, numbers};

#[test]
fn what_a_source_sends_comes_to_the_sink_in_order() {
    let pipes = Pipes::new();
    pipes.start(json!({ "until": 1000, "batch": 7 }), pipes.sink("out", json!({}), QueueConfig::default()));
    let view = pipes.finish();
    assert_eq!((view.received, view.routed, view.sinks[0].delivered), (1000, 1000, 1000));
    assert_eq!(pipes.lines("out"), numbers(1000));
}

#[test]
fn a_message_goes_to_each_sink_that_wants_it_and_is_counted_once_more() {
    let pipes = Pipes::new();
    let queue = QueueConfig::default;
    let source = |topic: &str| SourceConfig::new(PLUGIN).with_config(json!({ "until": 100, "topic": topic }));
    let topics = |pattern: &str| vec![pattern.to_owned()];
    pipes.start_one(
        PipelineConfig::default()
            .with_source("a", source("a.b"))
            .with_source("b", source("b"))
            .with_source("denied", source("denied"))
            .with_source("unwanted", source("c.d"))
            .with_sink("all", pipes.sink("all", json!({}), queue()).with_topics(topics("a.>")))
            .with_sink("more", pipes.sink("more", json!({}), queue()).with_topics(vec!["*".into(), "a.b".into()])),
    );
    let view = pipes.finish();
    assert_eq!((view.received, view.routed), (400, 290));
    assert_eq!(view.dropped, BTreeMap::from([("denied".to_owned(), 10), ("unrouted".to_owned(), 100)]));
    assert_eq!((pipes.lines("all").len(), pipes.lines("more").len()), (100, 290));
}

#[test]
fn each_policy_loses_what_it_says_and_counts_it() {
    for (policy, reason) in
        [(QueuePolicy::DropNewest, "full"), (QueuePolicy::DropOldest, "full"), (QueuePolicy::LatestPerKey, "replaced")]
    {
        let pipes = Pipes::new();
        let queue = QueueConfig::default().with_policy(policy).with_capacity(20);
        pipes.start(json!({ "until": 2000, "batch": 50 }), pipes.sink("out", json!({ "takes_us": 200 }), queue));
        let view = pipes.finish();
        let sink = &view.sinks[0];
        assert_eq!((view.received, sink.given), (2000, 2000));
        assert!(sink.dropped[reason] > 0 && sink.dropped.len() == 1, "{policy:?}: {sink:?}");
        let lines = pipes.lines("out");
        assert_eq!(lines.len() as u64, sink.delivered);
        assert!(lines.is_sorted_by_key(|line| line.parse::<u64>().unwrap()), "{policy:?} keeps the order");
        // The newest is never lost by the two that prefer it.
        assert!(policy == QueuePolicy::DropNewest || lines.last().unwrap() == "1999");
    }
}

#[test]
fn a_slow_sink_slows_its_source_down_and_nothing_is_lost() {
    let pipes = Pipes::new();
    let queue = QueueConfig::default().with_capacity(3);
    pipes.start(json!({ "until": 300, "batch": 50 }), pipes.sink("out", json!({ "takes_us": 100 }), queue));
    let view = pipes.finish();
    assert_eq!((view.sinks[0].delivered, view.sinks[0].dropped.len()), (300, 0));
    assert_eq!(pipes.lines("out"), numbers(300));
}

#[test]
fn what_a_sink_rejects_is_dropped_and_what_it_wants_again_is_not() {
    let pipes = Pipes::new();
    let more = json!({ "rejects": 10, "retries_every": 3 });
    pipes.start(json!({ "until": 100, "batch": 20 }), pipes.sink("out", more, QueueConfig::default()));
    let view = pipes.finish();
    assert_eq!((view.sinks[0].delivered, view.sinks[0].dropped["fault"]), (90, 10));
    assert_eq!(pipes.lines("out").len(), 90);
}

#[test]
fn a_stop_without_time_drops_what_is_queued_and_the_next_start_sends_it_again() {
    let pipes = Pipes::new();
    let waits = json!({ "waits_after": 16, "waits_for": pipes.file("go on") });
    pipes.start(json!({ "until": 500, "batch": 100 }), pipes.sink("out", waits, QueueConfig::default()));
    hookrail_tests::probe::eventually("some are delivered", || pipes.view().sinks[0].delivered > 10);
    hookrail_tests::probe::eventually("all are queued", || pipes.view().sinks[0].given == 500);
    pipes.streams.stop("p", std::time::Instant::now()).unwrap();
    let view = adds_up(&pipes.view());
    assert!(view.sinks[0].dropped["shutdown"] > 0 && view.sinks[0].held == 0, "{view:?}");
    pipes.tell("go on");
    pipes.streams.start("p").unwrap();
    pipes.finish();
    let mut lines: Vec<u64> = pipes.lines("out").iter().map(|line| line.parse().unwrap()).collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines, (0..500).collect::<Vec<_>>(), "none is missing");
}

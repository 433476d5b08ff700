//! Queues on disk: what a sink has not taken is there for the next host.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use hookrail::stream::spill;
use hookrail::{PipelineView, QueueConfig, QueuePolicy};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::zoo;
use serde_json::json;

use crate::scenes::{Pipes, adds_up, numbers, pipeline};

const MANY: u64 = 3000;

fn queue() -> QueueConfig {
    // So that most of them are on disk alone.
    QueueConfig::default().with_policy(QueuePolicy::Spill).with_capacity(16)
}

fn directory(home: &Path) -> std::path::PathBuf {
    home.join("streams/queues/p/out")
}

/// Has a sink that never returns from its first message leave everything on disk.
fn left_on_disk() -> Pipes {
    let pipes = Pipes::new();
    let sink = pipes.sink("out", json!({ "takes_us": 3_600_000_000_u64 }), queue());
    pipes.start(json!({ "until": MANY, "batch": 10 }), sink);
    // A message is counted as received before it is on disk.
    eventually("the source is done", || pipes.view().sinks[0].held == MANY);
    pipes
}

fn next_host(pipes: Pipes) -> (Pipes, PipelineView) {
    let home = {
        // What does not return keeps its library, and this process ends with it.
        let Pipes { streams, host, home, .. } = pipes;
        streams.stop("p", Instant::now()).unwrap();
        std::mem::forget((streams, host));
        home
    };
    // The lock is that of a process, which the first host is still in: a copy is another queue.
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory(copy.path())).unwrap();
    for entry in fs::read_dir(directory(home.path())).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, directory(copy.path()).join(from.file_name().unwrap())).unwrap();
    }
    let pipes = Pipes::at(zoo("sends_and_takes"), copy);
    pipes.start(json!({ "until": 0 }), pipes.sink("out", json!({}), queue()));
    let view = pipes.finish();
    (pipes, view)
}

#[test]
fn what_a_host_leaves_on_disk_the_next_one_delivers_in_order() {
    let pipes = left_on_disk();
    let report = &spill::check(pipes.home.path()).unwrap()[0];
    assert_eq!((report.messages, report.damaged.len(), report.is_open), (MANY, 0, true));
    let (pipes, view) = next_host(pipes);
    assert_eq!((view.sinks[0].given, view.sinks[0].delivered, view.sinks[0].held), (MANY, MANY, 0));
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

#[test]
fn a_sink_with_another_configuration_goes_on_with_what_is_on_disk() {
    let pipes = Pipes::new();
    let source = || json!({ "until": MANY, "batch": 10 });
    let apply = |sink| {
        let pipelines = BTreeMap::from([("p".to_owned(), pipeline(source(), sink))]);
        pipes.streams.apply(&pipelines, Instant::now() + LONG).unwrap();
    };
    let waits = json!({ "waits_after": 16, "waits_for": pipes.file("never") });
    apply(pipes.sink("out", waits, queue()));
    eventually("all are on disk", || pipes.view().sinks[0].given == MANY);
    assert!(pipes.view().sinks[0].disk.as_ref().unwrap().bytes > 0);
    apply(pipes.sink("out", json!({ "retries_every": 50 }), queue().with_capacity(100)));
    let view = pipes.finish();
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
    assert_eq!((view.sinks[0].given, view.sinks[0].capacity), (MANY, 100), "it is the same queue");
}

#[test]
fn a_stop_leaves_on_disk_what_a_start_goes_on_with() {
    let pipes = Pipes::new();
    let waits = json!({ "waits_after": 16, "waits_for": pipes.file("go on") });
    pipes.start(json!({ "until": MANY, "batch": 10 }), pipes.sink("out", waits, queue()));
    eventually("some are delivered", || pipes.view().sinks[0].delivered > 10);
    eventually("others are not", || pipes.view().sinks[0].held > 10);
    let view = adds_up(&pipes.stop());
    assert!(view.sinks[0].held > 0 && view.sinks[0].dropped.is_empty(), "{view:?}");
    pipes.tell("go on");
    pipes.streams.start("p").unwrap();
    eventually("more are delivered", || pipes.view().sinks[0].delivered > view.sinks[0].delivered + 10);
    adds_up(&pipes.stop());
    let lines = pipes.lines("out");
    assert_eq!(lines, numbers(lines.len() as u64), "in order, none twice");
}

#[test]
fn a_source_waits_for_a_disk_that_is_full_and_none_is_missing() {
    let pipes = Pipes::new();
    let small = queue().with_size(Some(20_000));
    let waits = json!({ "waits_for": pipes.file("go on") });
    pipes.start(json!({ "until": MANY, "batch": 10 }), pipes.sink("out", waits, small));
    eventually("the queue is full", || pipes.view().sinks[0].disk.as_ref().unwrap().bytes >= 20_000);
    let bytes = pipes.view().sinks[0].disk.as_ref().unwrap().bytes;
    assert!(bytes < 25_000, "no more than one batch over it: {bytes}");
    pipes.tell("go on");
    pipes.finish();
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

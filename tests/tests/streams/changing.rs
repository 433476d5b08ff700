//! Another configuration while messages flow: only what differs is ended and started.

use std::collections::BTreeMap;
use std::time::Instant;

use hookrail::{PipelineConfig, QueueConfig, SourceConfig};
use hookrail_tests::probe::{LONG, eventually};
use serde_json::{Value, json};

use crate::scenes::{PLUGIN, Pipes, numbers, pipeline};

const MANY: u64 = 3000;

/// Until it is told to go further, it has something left to send, however long the test takes.
fn source(pipes: &Pipes) -> Value {
    json!({
        "until": MANY, "batch": 10, "pause_us": 500,
        "waits_at": MANY - 100, "waits_for": pipes.file("further"),
    })
}

fn flowing() -> Pipes {
    let pipes = Pipes::new();
    apply(&pipes, &pipeline(source(&pipes), pipes.sink("out", json!({}), QueueConfig::default()))).unwrap();
    eventually("messages flow", || pipes.view().sinks[0].delivered > 50);
    pipes
}

/// How much a sink has left to do.
fn held(pipes: &Pipes, sink: &str) -> u64 {
    pipes.view().sinks.iter().find(|view| view.name == sink).map_or(0, |view| view.held)
}

fn apply(pipes: &Pipes, config: &PipelineConfig) -> Result<Vec<String>, hookrail::Error> {
    pipes.streams.apply(&BTreeMap::from([("p".to_owned(), config.clone())]), Instant::now() + LONG)
}

#[test]
fn what_is_the_same_is_left_alone() {
    let pipes = flowing();
    let same = pipeline(source(&pipes), pipes.sink("out", json!({}), QueueConfig::default()));
    assert!(apply(&pipes, &same).unwrap().is_empty());
    let more = same.with_sink("more", pipes.sink("more", json!({}), QueueConfig::default()));
    assert_eq!(apply(&pipes, &more).unwrap(), ["p is changed"]);
    pipes.tell("further");
    let view = pipes.finish();
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
    let more = pipes.lines("more");
    assert!(!more.is_empty() && more.len() < MANY as usize, "it has what came since it was there: {}", more.len());
    assert_eq!(view.sinks[0].given, more.len() as u64);
}

#[test]
fn a_sink_that_goes_delivers_what_it_has() {
    let pipes = flowing();
    let slow = json!({ "waits_for": pipes.file("go on") });
    let two = pipeline(source(&pipes), pipes.sink("out", json!({}), QueueConfig::default()));
    let two = two.with_sink("slow", pipes.sink("slow", slow, QueueConfig::default()));
    apply(&pipes, &two).unwrap();
    pipes.tell("further");
    eventually("the slow one has something to do", || held(&pipes, "slow") > 5);
    pipes.tell("go on");
    apply(&pipes, &pipeline(source(&pipes), pipes.sink("out", json!({}), QueueConfig::default()))).unwrap();
    let slow: Vec<u64> = pipes.lines("slow").iter().map(|line| line.parse().unwrap()).collect();
    let first = slow[0];
    assert_eq!(slow, (first..first + slow.len() as u64).collect::<Vec<_>>(), "there is no gap");
    pipes.finish();
    assert_eq!(pipes.lines("out"), numbers(MANY));
}

#[test]
fn a_source_with_another_configuration_goes_on_at_its_mark() {
    let pipes = flowing();
    let further = json!({ "until": MANY + 500, "batch": 7 });
    apply(&pipes, &pipeline(further, pipes.sink("out", json!({}), QueueConfig::default()))).unwrap();
    pipes.finish();
    assert_eq!(pipes.lines("out"), numbers(MANY + 500), "in order, none twice");
}

#[test]
fn a_mistake_changes_nothing() {
    let pipes = flowing();
    let in_the_way = pipes.file("in the way");
    std::fs::write(&in_the_way, "").unwrap();
    let good = || pipeline(source(&pipes), pipes.sink("out", json!({}), QueueConfig::default()));
    let refused = SourceConfig::new(PLUGIN).with_config(json!({ "refused_while": in_the_way }));
    let no_topic = pipes.sink("no", json!({}), QueueConfig::default()).with_topics(vec!["a..b".into()]);
    let no_room = pipes.sink("no", json!({}), QueueConfig::default().with_capacity(0));
    let misspelt = SourceConfig::new(PLUGIN).with_config(json!({ "untill": 1 }));
    let nobody = SourceConfig::new(format!("{PLUGIN}/nobody"));
    for (wrong, said) in [
        (good().with_source("refused", refused), "it is refused, as its configuration says"),
        (good().with_sink("no", no_topic), "pipelines.p.sinks.no.topics"),
        (good().with_sink("no", no_room), "pipelines.p.sinks.no.queue.capacity"),
        (good().with_source("misspelt", misspelt), "'untill' was unexpected"),
        (good().with_source("nobody", nobody), "it has no source `nobody`, but numbers"),
        (PipelineConfig::default(), "needs at least one source and one sink"),
    ] {
        let error = apply(&pipes, &wrong).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    pipes.tell("further");
    let view = pipes.finish();
    assert_eq!((view.sources.len(), view.sinks.len(), view.sources[0].restarts), (1, 1, 0));
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

#[test]
fn a_pipeline_that_is_no_more_is_stopped_and_one_that_is_new_is_started() {
    let pipes = flowing();
    let other = pipeline(json!({ "until": 10 }), pipes.sink("other", json!({}), QueueConfig::default()));
    let done = pipes.streams.apply(&BTreeMap::from([("q".to_owned(), other)]), Instant::now() + LONG).unwrap();
    assert_eq!(done, ["p is stopped and gone", "q is new, and started"]);
    assert!(pipes.streams.view("p").is_err());
    let out = pipes.lines("out");
    assert_eq!(out, numbers(out.len() as u64), "what was sent was delivered");
    eventually("the new one has done its work", || pipes.lines("other").len() == 10);
}

#[test]
fn a_sink_with_another_configuration_gets_what_the_one_before_has_left() {
    let pipes = Pipes::new();
    let sink = |name: &str, more: Value| pipes.sink(name, more, QueueConfig::default());
    pipes.tell("further");
    let before = json!({ "waits_after": 16, "waits_for": pipes.file("never") });
    apply(&pipes, &pipeline(source(&pipes), sink("before", before))).unwrap();
    eventually("messages wait", || pipes.view().sinks[0].held > 200);
    eventually("and some have come", || pipes.view().sinks[0].delivered > 10);
    let now = BTreeMap::from([("p".to_owned(), pipeline(source(&pipes), sink("after", json!({}))))]);
    // Without time for what is queued.
    pipes.streams.apply(&now, Instant::now()).unwrap();
    pipes.finish();
    let all = [pipes.lines("before"), pipes.lines("after")].concat();
    assert_eq!(all, numbers(MANY), "in order, none twice");
}

#[test]
fn what_a_sink_that_goes_leaves_behind_holds_no_mark_back() {
    let pipes = flowing();
    let stuck = pipes.sink("stuck", json!({ "retries_every": 1 }), QueueConfig::default().with_capacity(10_000));
    let good = || pipeline(source(&pipes), pipes.sink("out", json!({}), QueueConfig::default()));
    apply(&pipes, &good().with_sink("stuck", stuck)).unwrap();
    pipes.tell("further");
    eventually("it has something to do", || held(&pipes, "stuck") > 20);
    let now = BTreeMap::from([("p".to_owned(), good())]);
    pipes.streams.apply(&now, Instant::now()).unwrap();
    eventually("the source is done", || pipes.view().sources[0].state == hookrail::EndpointState::Done);
    let mark = || std::fs::read_to_string(pipes.file("streams/marks/p/in.json")).unwrap_or_default();
    eventually("its last mark is kept", || mark().contains(&format!("\"{MANY}\"")));
}

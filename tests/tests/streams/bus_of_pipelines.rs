//! Pipelines publish to the bus and take from it, by endpoints of the host's own.

use std::time::Instant;

use hookrail::{
    BusView, Isolation, PipelineConfig, PipelineState, QueueConfig, SinkConfig, SourceConfig, SubscriptionView,
};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::zoo;
use serde_json::{Value, json};

use crate::bus::Talks;
use crate::scenes::{PLUGIN, Pipes, adds_up, numbers, pipeline};

/// From the bus to a file.
fn heard(pipes: &Pipes, file: &str, bus: Value) -> PipelineConfig {
    PipelineConfig::default()
        .with_source("heard", SourceConfig::new("bus").with_config(bus))
        .with_sink("out", pipes.sink(file, json!({}), QueueConfig::default()))
}

fn publishing(until: u64) -> PipelineConfig {
    pipeline(json!({ "until": until, "batch": 7 }), SinkConfig::new("bus"))
}

fn subscribed(pipes: &Pipes, count: usize) {
    eventually("they have subscribed", || pipes.streams.bus().subscriptions.len() == count);
}

/// The bus, when it adds up: what is under way while it is counted is seen in two places or in none.
fn bus(pipes: &Pipes) -> BusView {
    let mut bus = BusView::default();
    eventually("the bus adds up", || {
        bus = pipes.streams.bus();
        let adds_up =
            |one: &SubscriptionView| one.given == one.delivered + one.dropped.values().sum::<u64>() + one.held;
        bus.received == bus.routed + bus.dropped.values().sum::<u64>() && bus.subscriptions.iter().all(adds_up)
    });
    bus
}

#[test]
fn what_one_pipeline_publishes_others_take_that_want_its_topic() {
    let pipes = Pipes::new();
    let all = heard(&pipes, "all", json!({ "queue": { "policy": "block", "capacity": 10 } }));
    let wanted = json!({ "topics": ["number"], "queue": { "policy": "block" } });
    for (name, config) in [
        ("all", all),
        ("wanted", heard(&pipes, "wanted", wanted)),
        ("other", heard(&pipes, "other", json!({ "topics": ["other.>"] }))),
    ] {
        pipes.streams.add(name, &config).unwrap();
        pipes.streams.start(name).unwrap();
    }
    subscribed(&pipes, 3);
    pipes.start_one(publishing(2000));
    eventually("all is written", || pipes.lines("all").len() >= 2000 && pipes.lines("wanted").len() >= 2000);
    assert_eq!((pipes.lines("all"), pipes.lines("wanted")), (numbers(2000), numbers(2000)));
    assert_eq!(pipes.stop().sinks[0].delivered, 2000);
    let bus = bus(&pipes);
    assert_eq!((bus.received, bus.routed), (2000, 2000));
    let names: Vec<_> = bus.subscriptions.iter().map(|one| (&*one.instance, &*one.name, one.given)).collect();
    assert_eq!(
        names,
        [("pipelines", "all/heard", 2000), ("pipelines", "other/heard", 0), ("pipelines", "wanted/heard", 2000)]
    );
    for name in ["all", "wanted", "other"] {
        pipes.streams.stop(name, Instant::now() + LONG).unwrap();
        adds_up(&pipes.streams.view(name).unwrap());
    }
    assert!(pipes.streams.bus().subscriptions.is_empty());
}

/// A subscription that blocks has no room: the pipeline that publishes can be stopped, and what it has not published is
/// counted.
#[test]
fn a_pipeline_that_waits_for_a_subscription_can_be_stopped() {
    let pipes = Pipes::new();
    let queue = QueueConfig::default().with_capacity(2);
    let wanted = json!({ "queue": { "policy": "block", "capacity": 3 } });
    let config = PipelineConfig::default()
        .with_source("heard", SourceConfig::new("bus").with_config(wanted))
        .with_sink("out", pipes.sink("slow", json!({ "takes_us": 20_000 }), queue));
    pipes.streams.add("slow", &config).unwrap();
    pipes.streams.start("slow").unwrap();
    subscribed(&pipes, 1);
    pipes.start_one(publishing(100_000));
    eventually("the publisher waits", || pipes.view().sinks[0].held >= 1024);
    pipes.streams.stop("p", Instant::now()).unwrap();
    let view = pipes.view();
    assert_eq!(view.state, PipelineState::Stopped);
    adds_up(&view);
    bus(&pipes);
}

/// It publishes to the subscription of that source, which has taken more than there is room for, and answers for it when the
/// callback has returned.
#[test]
fn a_callback_on_the_thread_of_a_source_is_not_let_wait_for_that_source() {
    let talks = Talks::in_process(Isolation::default(), |file| {
        vec![
            ("reacts", json!({ "reacts_to": "raw.one", "reacts_on": "raw.two", "errors": file("errors") })),
            ("source", json!({ "sends": 100, "sends_on": "raw.one", "sends_at_once": true, "sends_when": file("go") })),
        ]
    });
    // SAFETY: our own library.
    unsafe { talks.host.load(zoo("sends_and_takes")) }.unwrap();
    let blocks = json!({ "topics": ["raw.>"], "queue": { "policy": "block", "capacity": 4 } });
    let config = PipelineConfig::default()
        .with_source("heard", SourceConfig::new("bus").with_config(blocks))
        .with_sink("out", SinkConfig::new(PLUGIN).with_config(json!({ "file": talks.home.path().join("out") })));
    talks.streams.add("heard", &config).unwrap();
    talks.streams.start("heard").unwrap();
    eventually("it has subscribed", || talks.streams.bus().subscriptions.len() == 1);
    talks.tell("go");
    // On the thread that has published them, what they caused had room.
    eventually("all is written", || talks.lines("out").len() == 200);
    talks.settled(200);
    let errors = talks.lines("errors");
    assert!(errors.len() == 100 && errors[0].contains("this thread is to empty it"), "{errors:?}");
    talks.streams.stop("heard", Instant::now() + LONG).unwrap();
    adds_up(&talks.streams.view("heard").unwrap());
}

#[test]
fn a_configuration_that_does_not_fit_is_refused_with_its_place() {
    let pipes = Pipes::new();
    let refused = |source: Value| {
        let config = heard(&pipes, "f", source);
        pipes
            .streams
            .apply(&[("p".to_owned(), config)].into(), Instant::now())
            .expect_err("it is a mistake")
            .to_string()
    };
    let why = refused(json!({ "topics": ["a..b"] }));
    assert!(why.contains("bus") && why.contains("`topics`"), "{why}");
    let config = pipeline(json!({ "until": 1 }), SinkConfig::new("bus").with_config(json!({ "topic": "a" })));
    let why =
        pipes.streams.apply(&[("p".to_owned(), config)].into(), Instant::now()).expect_err("it is one").to_string();
    assert!(why.contains("unknown field `topic`"), "{why}");
}

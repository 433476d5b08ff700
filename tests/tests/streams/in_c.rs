//! Sources and sinks that are written in C.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail::catalogue::MessageDropped;
use hookrail::{
    Callbacks, Config, End, EndpointKind, Isolation, PipelineConfig, PluginConfig, Priority, QueueConfig, SinkConfig,
    SourceConfig,
};
use hookrail_abi::DropKind;
use hookrail_tests::probe::eventually;
use hookrail_tests::specimens::c;
use serde_json::json;

use crate::bus;
use crate::scenes::{Pipes, limits, numbers};

#[test]
fn a_source_and_a_sink_in_c_are_declared_and_run() {
    let library = c("sends_and_takes");
    let declared = hookrail::inspect(&library).unwrap().note.endpoints;
    let names: Vec<_> = declared.iter().map(|endpoint| (endpoint.kind, &*endpoint.name)).collect();
    assert_eq!(names, [(EndpointKind::Source, "numbers"), (EndpointKind::Sink, "lines")]);
    let pipes = Pipes::with(library);
    assert_eq!(pipes.host.plugin_views()[0].endpoints, declared, "and the host shows them");
    let plugin = "sends-and-takes-in-c";
    let source = SourceConfig::new(format!("{plugin}/numbers")).with_config(json!({ "until": 500 }));
    let sink = SinkConfig::new(plugin).with_config(json!({ "file": pipes.file("out") }));
    let queue = QueueConfig::default().with_capacity(10);
    pipes.start_one(PipelineConfig::default().with_source("in", source).with_sink("out", sink.with_queue(queue)));
    assert_eq!(pipes.finish().sinks[0].delivered, 500);
    assert_eq!(pipes.lines("out"), numbers(500));
}

#[test]
fn a_plugin_in_c_subscribes_and_publishes_on_the_bus() {
    let pipes = Pipes::new();
    // SAFETY: our own library.
    let answering = unsafe { pipes.host.load(c("answers_on_the_bus")) }.unwrap();
    let bus = SourceConfig::new("bus").with_config(json!({ "topics": ["answer"], "queue": { "policy": "block" } }));
    let sink = pipes.sink("out", json!({}), QueueConfig::default());
    pipes.streams.add("answers", &PipelineConfig::default().with_source("bus", bus).with_sink("out", sink)).unwrap();
    pipes.streams.start("answers").unwrap();
    eventually("both have subscribed", || pipes.streams.bus().subscriptions.len() == 2);
    pipes.start(json!({ "until": 500, "topic": "question.of.numbers" }), SinkConfig::new("bus"));
    eventually("all is answered", || pipes.lines("out").len() >= 500);
    assert_eq!(pipes.lines("out"), numbers(500));
    // It stays mapped: it is in C, and starts threads.
    assert!(matches!(pipes.host.unload(&answering).unwrap(), End::Unhooked(symbol) if symbol == "pthread_create"));
    assert_eq!(pipes.streams.bus().subscriptions.len(), 1);
}

#[test]
fn a_callback_in_c_publishes_by_the_end_that_its_message_was_published_by() {
    let pipes = Pipes::new();
    // SAFETY: our own library.
    let within = unsafe { pipes.host.load(c("publishes_within")) }.unwrap();
    assert_eq!(pipes.streams.bus().subscriptions.len(), 2);
    pipes.start(json!({ "until": 50 }), pipes.sink("out", json!({}), QueueConfig::default()));
    assert_eq!(pipes.finish().sinks[0].delivered, 50, "no callback has failed");
    let bus = bus::adds_up(pipes.streams.bus());
    assert_eq!((bus.received, bus.routed), (200, 200));
    let [kept] = &*bus.subscriptions else { panic!("one was ended: {bus:?}") };
    assert_eq!((&*kept.name, kept.given, kept.held), ("a-kept", 200, 200));
    pipes.host.unload(&within).unwrap();
}

/// It opens 201 ends each time that it is started, of 256 that it may have, and has two of three messages unanswered.
fn leaves_its_ends_open(isolation: Isolation) {
    let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
    let config = Config::default().with_plugin("leaves-its-ends-open", plugin);
    let pipes = Pipes::of(config, c("leaves_its_ends_open"), tempfile::tempdir().unwrap());
    let dropped = Arc::new(AtomicU64::new(0));
    let (callbacks, counted) = (Callbacks::new("counts"), dropped.clone());
    let callbacks = callbacks.on(MessageDropped, "dropped", Priority::LAST, move |message| {
        counted.fetch_add((message.kind() == DropKind::Shutdown).into(), Ordering::Relaxed);
    });
    let _registered = pipes.host.register(callbacks).unwrap();
    for life in 0..4 {
        let bus = bus::adds_up(pipes.streams.bus());
        assert_eq!((bus.received, bus.subscriptions.len(), bus.subscriptions[0].held), (3 * (life + 1), 1, 3));
        pipes.host.stop(&pipes.plugin).unwrap();
        assert!(pipes.streams.bus().subscriptions.is_empty());
        eventually("all that was left is dropped", || dropped.load(Ordering::Relaxed) == 3 * (life + 1));
        pipes.host.start(&pipes.plugin).unwrap();
    }
    assert_eq!(pipes.host.unload(&pipes.plugin).unwrap(), End::Unmapped);
}

#[test]
fn what_a_plugin_in_c_leaves_open_ends_with_its_instance() {
    leaves_its_ends_open(Isolation::default());
}

#[test]
fn what_a_plugin_in_c_leaves_open_in_a_worker_ends_with_its_instance() {
    leaves_its_ends_open(Isolation::WORKER);
}

//! Plugins are replaced, stopped, halted and unloaded while messages flow from their sources and to their sinks.

use std::path::PathBuf;

use hookrail::{End, PipelineState, QueueConfig};
use hookrail_tests::probe::eventually;
use hookrail_tests::zoo;
use serde_json::json;

use crate::scenes::{Pipes, SOON, adds_up, numbers};

const MANY: u64 = 3000;

/// Until it is [told](further) to go further, the source has something left to send, however long the test takes.
fn flowing() -> Pipes {
    let pipes = Pipes::new();
    let source = json!({
        "until": MANY, "batch": 10, "pause_us": 500, "refused_while": in_the_way(&pipes),
        "waits_at": MANY - 100, "waits_for": pipes.file("further"),
    });
    pipes.start(source, pipes.sink("out", json!({ "takes_us": 20 }), QueueConfig::default()));
    eventually("messages flow", || pipes.view().sinks[0].delivered > 50);
    pipes
}

/// While there is such a file, the source is refused.
fn in_the_way(pipes: &Pipes) -> PathBuf {
    pipes.file("in the way")
}

fn further(pipes: &Pipes) {
    pipes.tell("further");
}

fn has_lost_nothing(pipes: &Pipes) {
    further(pipes);
    let view = pipes.finish();
    assert_eq!((view.received, view.sinks[0].delivered), (MANY, MANY), "{view:?}");
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

#[test]
fn an_upgrade_loses_nothing_and_keeps_the_order() {
    let pipes = flowing();
    for _ in 0..5 {
        // SAFETY: our own library.
        let upgraded = unsafe { pipes.host.upgrade(&pipes.plugin, zoo("sends_and_takes")) }.unwrap();
        assert_eq!(upgraded.old.wait(), End::Unmapped);
    }
    has_lost_nothing(&pipes);
}

#[test]
fn a_plugin_that_is_stopped_and_started_again_goes_on_where_it_was() {
    let pipes = flowing();
    pipes.host.stop(&pipes.plugin).unwrap();
    let before = pipes.view().received;
    further(&pipes);
    std::thread::sleep(SOON);
    assert_eq!(pipes.view().received, before, "nothing comes from a plugin that is stopped");
    pipes.host.start(&pipes.plugin).unwrap();
    has_lost_nothing(&pipes);
}

#[test]
fn a_plugin_that_is_halted_sends_and_takes_nothing_until_it_is_resumed() {
    let pipes = flowing();
    pipes.host.halt(&pipes.plugin).unwrap();
    eventually("its endpoints have ended", || {
        let view = pipes.view();
        let states = [view.sources[0].state, view.sinks[0].state];
        states.iter().all(|state| *state == hookrail::EndpointState::Waiting)
    });
    let delivered = pipes.view().sinks[0].delivered;
    further(&pipes);
    std::thread::sleep(SOON);
    assert_eq!(pipes.view().sinks[0].delivered, delivered);
    pipes.host.resume(&pipes.plugin).unwrap();
    has_lost_nothing(&pipes);
}

#[test]
fn a_plugin_that_is_resumed_before_its_endpoints_have_ended_goes_on() {
    let pipes = Pipes::new();
    let late = json!({ "takes_us": 20, "ends_late_ms": 50 });
    let source = json!({ "until": MANY, "batch": 10, "pause_us": 500, "ends_late_ms": 50 });
    pipes.start(source, pipes.sink("out", late, QueueConfig::default()));
    for _ in 0..5 {
        let before = pipes.view().sinks[0].delivered;
        eventually("messages flow", || pipes.view().sinks[0].delivered > before || pipes.streams.are_done());
        pipes.host.halt(&pipes.plugin).unwrap();
        pipes.host.resume(&pipes.plugin).unwrap();
    }
    has_lost_nothing(&pipes);
}

#[test]
fn a_plugin_that_is_unloaded_and_loaded_again_goes_on_where_it_was() {
    let mut pipes = flowing();
    let plugin = pipes.plugin.clone();
    assert_eq!(pipes.host.unload(&plugin).unwrap(), End::Unmapped);
    adds_up(&pipes.view());
    // SAFETY: our own library.
    pipes.plugin = unsafe { pipes.host.load(zoo("sends_and_takes")) }.unwrap();
    has_lost_nothing(&pipes);
}

#[test]
fn a_halted_pipeline_delivers_what_is_queued_and_a_resumed_one_goes_on() {
    let pipes = flowing();
    pipes.streams.halt("p", std::time::Instant::now() + hookrail_tests::probe::LONG).unwrap();
    assert_eq!(pipes.view().state, PipelineState::Halted);
    eventually("what is queued is delivered", || pipes.view().sinks[0].held == 0);
    let view = adds_up(&pipes.view());
    further(&pipes);
    std::thread::sleep(SOON);
    assert_eq!(pipes.view().received, view.received);
    pipes.streams.resume("p").unwrap();
    has_lost_nothing(&pipes);
}

#[test]
fn an_upgrade_whose_source_is_refused_changes_nothing() {
    let pipes = flowing();
    std::fs::write(in_the_way(&pipes), "").unwrap();
    // SAFETY: our own library.
    let refused = unsafe { pipes.host.upgrade(&pipes.plugin, zoo("sends_and_takes")) }.unwrap_err().to_string();
    assert!(refused.contains("it is refused, as its configuration says"), "{refused}");
    assert_eq!(pipes.host.plugin_views()[0].generation, Some(1));
    has_lost_nothing(&pipes);
    assert_eq!(pipes.view().sources[0].restarts, 0);
}

#[test]
fn a_host_that_is_started_again_goes_on_where_everything_was_settled() {
    let pipes = flowing();
    pipes.stop();
    let Pipes { streams, host, home, .. } = pipes;
    drop(streams);
    drop(host);
    let pipes = Pipes::at(zoo("sends_and_takes"), home);
    let sink = pipes.sink("out", json!({}), QueueConfig::default());
    pipes.start(json!({ "until": MANY, "batch": 10 }), sink);
    pipes.finish();
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

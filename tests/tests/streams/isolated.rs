//! The same sources and sinks in a process of their own.

use std::time::{Duration, Instant};

use hookrail::{Isolation, PluginConfig, QueueConfig};
use hookrail_tests::probe::eventually;
use hookrail_tests::zoo;
use serde_json::json;

use crate::scenes::{Pipes, limits, numbers};

const MANY: u64 = 3000;

fn flowing(isolation: Isolation) -> Pipes {
    let pipes = Pipes::isolated(isolation);
    let source = json!({ "until": MANY, "batch": 10, "pause_us": 500 });
    pipes.start(source, pipes.sink("out", json!({}), QueueConfig::default()));
    eventually("messages flow", || pipes.view().sinks[0].delivered > 50);
    pipes
}

fn has_lost_nothing(pipes: &Pipes) {
    let view = pipes.finish();
    assert_eq!((view.received, view.sinks[0].delivered), (MANY, MANY), "{view:?}");
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

/// This binary is the host and its workers.
#[test]
fn this_binary_runs_workers() {
    assert!(hookrail_tests::worker::is_linked());
}

#[test]
fn sources_and_sinks_of_a_worker_are_as_those_of_the_host() {
    let pipes = flowing(Isolation::WORKER);
    assert!(pipes.host.plugin_views()[0].worker.is_some());
    has_lost_nothing(&pipes);
}

#[test]
fn a_plugin_is_moved_out_and_in_while_messages_flow_and_none_is_lost() {
    let pipes = flowing(Isolation::InProcess);
    for isolation in [Isolation::WORKER, Isolation::InProcess, Isolation::WORKER, Isolation::InProcess] {
        // SAFETY: our own library.
        let moved = unsafe { pipes.host.move_to(&pipes.plugin, isolation.clone()) }.unwrap();
        assert!(moved.old.wait().is_unmapped());
    }
    has_lost_nothing(&pipes);
}

#[test]
fn an_upgrade_in_a_worker_loses_nothing() {
    let pipes = flowing(Isolation::WORKER);
    for _ in 0..3 {
        // SAFETY: it runs in a worker.
        let upgraded = unsafe { pipes.host.upgrade(&pipes.plugin, zoo("sends_and_takes")) }.unwrap();
        assert!(upgraded.old.wait().is_unmapped());
    }
    has_lost_nothing(&pipes);
}

/// What its sink had written and not answered for comes twice; nothing is missing.
#[test]
fn a_worker_that_is_killed_costs_duplicates_and_no_message() {
    let pipes = flowing(Isolation::WORKER);
    for _ in 0..3 {
        let pid = || pipes.host.plugin_views()[0].worker.as_ref().and_then(|worker| worker.pid);
        let killed = pid().unwrap();
        // SAFETY: the call touches no memory.
        unsafe { libc::kill(killed.cast_signed(), libc::SIGKILL) };
        let before = pipes.view().sinks[0].delivered;
        eventually("it goes on in the next process", || {
            let is_next = pid().is_some_and(|pid| pid != killed);
            is_next && (pipes.view().sinks[0].delivered > before || pipes.streams.are_done())
        });
    }
    pipes.finish();
    let mut lines: Vec<u64> = pipes.lines("out").iter().map(|line| line.parse().unwrap()).collect();
    let all = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines, (0..MANY).collect::<Vec<_>>(), "none is missing");
    assert!(all - lines.len() <= 3 * 16, "{} came twice", all - lines.len());
}

#[test]
fn an_endpoint_in_a_worker_that_panics_is_a_failure_of_its_own() {
    let pipes = Pipes::isolated(Isolation::WORKER);
    let source = json!({ "until": 200, "batch": 10, "panics_at": 100 });
    pipes.start(source, pipes.sink("out", json!({ "panics_every": 5 }), QueueConfig::default()));
    let view = pipes.finish();
    assert_eq!(view.sources[0].restarts, 1);
    assert_eq!(pipes.lines("out"), numbers(200));
    assert_eq!(pipes.host.plugin_views()[0].worker.as_ref().unwrap().restarts, 0, "the process goes on");
}

/// In the process of the host such an endpoint keeps its plugin, and with it the host.
#[test]
fn an_endpoint_in_a_worker_that_does_not_end_ends_with_its_worker() {
    // Longer than a busy machine takes to start a worker, for which there is as much time.
    let limits = limits().with_patience(Duration::from_secs(30));
    let pipes = Pipes::configured(PluginConfig::default().with_isolation(Isolation::WORKER).with_worker(limits));
    let source = json!({ "until": MANY, "batch": 10, "ends_late_ms": 3_600_000 });
    pipes.start(source, pipes.sink("out", json!({}), QueueConfig::default()));
    eventually("all is delivered", || pipes.view().sinks[0].delivered == MANY);
    pipes.streams.stop("p", Instant::now()).unwrap();
    assert!(pipes.host.unload(&pipes.plugin).unwrap().is_unmapped());
    assert_eq!(pipes.lines("out"), numbers(MANY), "in order, none twice");
}

#[test]
fn messages_of_any_number_and_size_cross() {
    let pipes = Pipes::isolated(Isolation::WORKER);
    // Together they are longer than a frame of anything else may be.
    let source = json!({ "until": 22, "batch": 22, "pads_to": 15 << 20 });
    pipes.start(source, pipes.sink("out", json!({}), QueueConfig::default()));
    let view = pipes.finish();
    assert_eq!((view.sources[0].restarts, view.sinks[0].restarts), (0, 0), "{view:?}");
    assert_eq!(pipes.lines("out"), numbers(22), "{view:?}");
}

//! Plugins publish and subscribe in workers as they do in the process of their host.

use std::fs;

use hookrail::{End, Isolation};
use hookrail_tests::probe::eventually;
use serde_json::json;

use crate::bus::{Talks, adds_up, of};
use crate::scenes::numbers;

#[test]
fn instances_in_a_worker_publish_and_subscribe() {
    let talks = Talks::in_process(Isolation::WORKER, |file| {
        vec![
            ("errors", json!({ "file": file("errors"), "topic": "log.>", "level": "error" })),
            ("logs", json!({ "file": file("logs"), "topic": "log.>", "retries_every": 3 })),
            ("one", json!({ "sends": 50, "sends_on": "log.one", "sends_level": "error", "sends_when": file("go") })),
            ("two", json!({ "sends": 30, "sends_on": "log.two.deep", "sends_when": file("go") })),
        ]
    });
    talks.tell("go");
    let bus = talks.settled(80);
    assert_eq!(talks.lines("errors"), numbers(50), "in order");
    assert_eq!((talks.lines("logs").len(), bus.routed), (80, 80));
    assert_eq!((of(&bus, "errors").delivered, of(&bus, "logs").delivered), (50, 80));
}

/// One that has all numbers in its queue, and receives nothing before it is told to.
fn kept() -> Talks {
    let talks = Talks::in_process(Isolation::WORKER, |file| {
        vec![
            ("kept", json!({ "file": file("kept"), "waits_for": file("receive"), "topic": "number" })),
            ("source", json!({ "sends": 100, "sends_on": "number", "sends_when": file("go") })),
        ]
    });
    talks.tell("go");
    eventually("all is published", || of(&talks.streams.bus(), "kept").held == 100);
    fs::remove_file(talks.home.path().join("go")).unwrap();
    talks
}

fn gets_all_that_was_kept(talks: &Talks) {
    talks.tell("receive");
    talks.settled(100);
    assert_eq!(talks.lines("kept"), numbers(100));
}

#[test]
fn a_newer_generation_in_a_worker_gets_what_the_older_has_left() {
    let talks = kept();
    talks.upgrade();
    assert_eq!(of(&adds_up(talks.streams.bus()), "kept").held, 100);
    gets_all_that_was_kept(&talks);
}

#[test]
fn a_worker_that_is_killed_costs_no_message_that_its_subscription_has_not_answered_for() {
    let talks = kept();
    let pid = || talks.host.plugin_views()[0].worker.as_ref().and_then(|worker| worker.pid);
    let killed = pid().expect("it runs");
    // SAFETY: the call touches no memory.
    unsafe { libc::kill(killed.cast_signed(), libc::SIGKILL) };
    eventually("it runs again, and its subscription is the only one", || {
        let bus = talks.streams.bus();
        pid().is_some_and(|pid| pid != killed) && bus.subscriptions.len() == 1 && of(&bus, "kept").held == 100
    });
    gets_all_that_was_kept(&talks);
}

#[test]
fn a_worker_ends_while_its_threads_wait_on_the_bus() {
    let talks = Talks::in_process(Isolation::WORKER, |file| {
        vec![
            ("full", json!({ "file": file("full"), "policy": "block", "capacity": 5, "waits_for": file("never") })),
            ("source", json!({ "sends": 100, "sends_on": "number" })),
            ("waits", json!({ "file": file("waits"), "topic": "other" })),
        ]
    });
    eventually("the publisher waits", || of(&talks.streams.bus(), "full").held == 5);
    assert_eq!(talks.host.unload(&talks.plugin).unwrap(), End::Unmapped);
    eventually("its subscriptions are gone", || talks.streams.bus().subscriptions.is_empty());
}

#[test]
fn a_callback_in_a_worker_is_told_to_publish_from_another_thread() {
    let talks = Talks::in_process(Isolation::WORKER, |file| {
        vec![
            ("answers", json!({ "reacts_to": "question", "reacts_on": "answer", "errors": file("errors") })),
            ("source", json!({ "sends": 3, "sends_on": "question", "sends_when": file("ask") })),
        ]
    });
    talks.tell("ask");
    talks.settled(3);
    let errors = talks.lines("errors");
    assert!(errors.len() == 3 && errors[0].contains("publish from another thread"), "{errors:?}");
}

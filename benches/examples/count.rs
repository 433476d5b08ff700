//! Does one thing `ROUNDS` times, for callgrind to count: `count MODE CALLBACKS ROUNDS`. In the mode `topics`, it finds the
//! subscriptions that match a topic, of which there are three among so many; in the others it dispatches.
//!
//! The difference between two runs that differ only in `ROUNDS` is exactly the cost of the loop.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::from_mut;

use hookrail::stream::topic::Subscriptions;
use hookrail::{Decision, StatsLevel};
use hookrail_abi::Point;
use hookrail_abi::boundary::RawCallback;
use hookrail_benches::{Work, WorkDone};

#[path = "../shared/hosts.rs"]
mod hosts;

#[inline(never)]
fn empty(rounds: u64, work: &mut Work) {
    for _ in 0..rounds {
        black_box(&mut *work);
    }
}

#[inline(never)]
fn raw(rounds: u64, pairs: &[(RawCallback, *mut c_void)], work: &mut Work) {
    for _ in 0..rounds {
        // SAFETY: the host that registered them lives, and the payload is theirs.
        unsafe { hosts::run_raw(pairs, from_mut(black_box(work)).cast()) };
    }
}

#[inline(never)]
fn dispatch(rounds: u64, point: &hookrail::HookPoint<WorkDone>, work: &mut Work) {
    for _ in 0..rounds {
        if point.dispatch(black_box(work)).decision() != Decision::Passed {
            return;
        }
    }
}

#[inline(never)]
fn topics(rounds: u64, subscriptions: &Subscriptions<usize>, found: &mut Vec<usize>) {
    for _ in 0..rounds {
        found.clear();
        subscriptions.matching(black_box("log.app.error"), found);
    }
}

/// Three subscriptions match, the others do not.
fn subscriptions(count: usize) -> Subscriptions<usize> {
    let mut subscriptions = Subscriptions::new();
    let matching = ["log.app.error", "log.*.error", "log.>"].map(String::from);
    let others = (matching.len()..count).map(|number| format!("log.app.{number}.*"));
    for (number, pattern) in matching.into_iter().chain(others).enumerate() {
        subscriptions.add(&pattern.parse().expect("a pattern"), number);
    }
    subscriptions
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (mode, callbacks, rounds) =
        (&*arguments[1], arguments[2].parse::<usize>().unwrap(), arguments[3].parse().unwrap());
    if mode == "topics" {
        let (subscriptions, mut found) = (subscriptions(callbacks), Vec::new());
        topics(rounds, &subscriptions, &mut found);
        assert_eq!(found, [0, 1, 2]);
        return;
    }
    let (host, point) = hosts::with(callbacks);
    let pairs = hosts::aligned(&point.raw_pairs());
    let mut work = Work::default();
    if mode == "counted" {
        host.set_level(WorkDone::NAME, StatsLevel::Count).expect("its own point");
    }
    // Registers the thread, and initialises what is lazy.
    let _ = point.dispatch(&mut work);
    match mode {
        "empty" => empty(rounds, &mut work),
        "raw" => raw(rounds, &pairs, &mut work),
        "counted" | "dispatch" => dispatch(rounds, &point, &mut work),
        other => panic!("no such mode: {other}"),
    }
    assert!(mode == "empty" || work.seen() == (rounds + 1) * callbacks as u64);
}

//! Dispatches `ROUNDS` times in one of four modes, for callgrind to count: `count MODE CALLBACKS ROUNDS`.
//!
//! The difference between two runs that differ only in `ROUNDS` is exactly the cost of the loop.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::from_mut;

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

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (mode, callbacks, rounds) = (&*arguments[1], arguments[2].parse().unwrap(), arguments[3].parse().unwrap());
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

//! What a plugin in a process of its own costs, through a whole host: what was measured beside what must be reached.
//!
//! `cargo run --release -p hookrail-benches --example workers`
//!
//! Both sides of a comparison take turns in the same process. It is for a machine that does nothing else, with two
//! processors at least.

use std::process::ExitCode;
use std::time::Duration;

use hookrail::Isolation;
use serde_json::json;

#[path = "../../shared/mod.rs"]
mod shared;

mod by_grpc;
mod by_socket;
mod ends;
mod memory;
mod passing;
mod rows;

use passing::{BODY, Passing};
use rows::Rows;
use shared::lanes::{Edit, bare, be_the_other_side, message};
use shared::ping_pong::Wait;
use shared::processor::processor;
use shared::rounds::compare;

const ROUNDS: usize = 101;
const TURN: Duration = Duration::from_millis(1);

fn main() -> ExitCode {
    hookrail::worker::enter();
    by_grpc::be_the_other_side();
    by_socket::be_the_other_side();
    be_the_other_side();
    eprintln!("building what is loaded");
    hookrail_tests::passing();
    hookrail_tests::plugin("mask");
    let mut rows = Rows::default();
    calls(&mut rows);
    waiting(&mut rows);
    ends::measure(&mut rows);
    memory::measure(&mut rows);
    println!("\n{}", processor());
    if rows.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A whole dispatch, beside the least that two processes need, and beside sockets.
fn calls(rows: &mut Rows) {
    for (edited, edit) in [("unchanged", Edit::Nothing), ("a header changed", Edit::Header)] {
        let config = json!({ "edits": edit == Edit::Header });
        let isolated = Passing::isolated(config.clone());
        let here = Passing::new(Isolation::InProcess, config.clone());
        let least = bare(Wait::Spin, message(BODY), edit);
        let beside = compare(ROUNDS, TURN, |n| least.run(n), |n| isolated.run(n));
        let value = format!("{:.0} ns, {:.2} x {:.0} ns", beside.candidate, beside.ratio.1, beside.baseline);
        let bound = ("1.3 x a ping-pong with the same encoding", beside.ratio.1 <= 1.3);
        rows.print(&format!("a dispatch, {edited}"), &value, Some(bound));
        let beside = compare(ROUNDS, TURN, |n| here.run(n), |n| isolated.run(n));
        rows.print(&format!("the same in the host's process, {edited}"), &format!("{:.0} ns", beside.baseline), None);
        let (socket, grpc) = (by_socket::Echo::new(), by_grpc::Echo::new());
        let others: [(&str, &dyn Fn(u64) -> Duration); 2] =
            [("MessagePack over a Unix socket", &|n| socket.run(n)), ("gRPC over a Unix socket", &|n| grpc.run(n))];
        for (name, other) in others {
            let beside = compare(ROUNDS, TURN, other, |n| isolated.run(n));
            let value = format!("{:.0} ns, {:.1} x ours", beside.baseline, 1.0 / beside.ratio.1);
            rows.print(&format!("{name}, {edited}"), &value, Some(("ours is ahead", beside.ratio.1 < 1.0)));
        }
        let four = Passing::isolated(json!({ "edits": edit == Edit::Header, "callbacks": 4 }));
        let beside = compare(ROUNDS, TURN, |n| isolated.run(n), |n| four.run(n));
        assert_eq!(isolated.faults() + four.faults(), 0);
        let bound = ("1.3 x one of them", beside.ratio.1 <= 1.3);
        rows.print(&format!("four callbacks, {edited}"), &format!("{:.2} x", beside.ratio.1), Some(bound));
    }
}

/// Callbacks that wait, for two threads.
fn waiting(rows: &mut Rows) {
    let slow = Passing::isolated(json!({ "waits_us": 200 }));
    let each = 2000;
    let took = |threads: u32| shared::loops::on_threads(threads, each, |rounds| slow.run(rounds)).as_secs_f64();
    let (one, two) = (took(1), took(2));
    let ratio = 2.0 * one / two;
    rows.print("two threads, callbacks that wait 200 us", &format!("{ratio:.2} x one"), Some(("1.8 x", ratio >= 1.8)));
}

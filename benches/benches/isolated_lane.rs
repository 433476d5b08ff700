//! What a call into a worker costs compared with a bare ping-pong that does the same encoding and decoding.

use std::rc::Rc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group};

#[path = "../shared/mod.rs"]
mod shared;

use shared::lanes::{Edit, Lane, bare, be_the_other_side, copied, message};
use shared::ping_pong::Wait;
use shared::processor::processor;

const BODY: usize = 200;
const ROUNDS: usize = 100;
const PAIRS: usize = 5;

/// Prints how two sides compare that take turns, since two groups of samples are further apart than what they compare.
/// Several pairs of processes are used, since the same loop is faster in some than in others for as long as they run. And
/// it is the quicker turns that are compared, a quarter of them: in the others one of the two processes was not running,
/// on a machine that does anything else.
fn report<A: Fn(u64) -> Duration, B: Fn(u64) -> Duration>(name: &str, runs: u64, pair: impl Fn() -> (A, B)) {
    if !is_asked_for(name) {
        return;
    }
    let (mut baseline, mut candidate) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let (bare, ours) = pair();
        for _ in 0..ROUNDS {
            baseline.push(bare(runs).as_nanos() as f64 / runs as f64);
            candidate.push(ours(runs).as_nanos() as f64 / runs as f64);
        }
    }
    let quarter = |times: &mut Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        (times[0], times[times.len() / 4])
    };
    let ((least_of_bare, bare), (least, ours)) = (quarter(&mut baseline), quarter(&mut candidate));
    let (ratio, of_least) = (ours / bare, least / least_of_bare);
    println!(
        "{name}: {ours:.0} ns, {ratio:.2} times {bare:.0} ns; the least {least:.0} ns, {of_least:.2} times; {}",
        processor()
    );
}

/// Whether the command line asks for more than that everything runs, and for this.
fn is_asked_for(name: &str) -> bool {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let is_value = |at: usize| at > 0 && arguments[at - 1].starts_with("--") && arguments[at - 1] != "--bench";
    let mut filters = (0..arguments.len()).filter(|at| !arguments[*at].starts_with('-') && !is_value(*at));
    !arguments.iter().any(|argument| argument == "--test") && filters.all(|at| name.contains(&arguments[at]))
}

/// Every message of a plugin in a worker crosses and comes back: what we add to the least that needs must stay small.
fn calls(criterion: &mut Criterion) {
    for (name, wait) in [("spinning", Wait::Spin), ("parked", Wait::Sleep)] {
        let mut group = criterion.benchmark_group(format!("a call, {name}"));
        group.sample_size(20).measurement_time(Duration::from_secs(2));
        for (edited, edit) in [("unchanged", Edit::Nothing), ("header changed", Edit::Header)] {
            let both = || (bare(wait, message(BODY), edit), Lane::new(wait, message(BODY), edit));
            let (bare, lane) = both();
            group.bench_function(BenchmarkId::new("bare", edited), |bench| bench.iter_custom(|n| bare.run(n)));
            group.bench_function(BenchmarkId::new("lane", edited), |bench| bench.iter_custom(|n| lane.call(n, 1)));
            let runs = if wait == Wait::Spin { 1000 } else { 50 };
            report(&format!("a call, {name}, {edited}"), runs, || {
                let (bare, lane) = both();
                (move |n| bare.run(n), move |n| lane.call(n, 1))
            });
        }
    }
}

/// Callbacks of one worker that follow each other cross together, or the second plugin would cost as much as the first.
fn crossings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("callbacks in one crossing, spinning");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    let lane = Lane::new(Wait::Spin, message(BODY), Edit::Nothing);
    for callbacks in [1, 4, 16] {
        group.bench_function(BenchmarkId::from_parameter(callbacks), |bench| {
            bench.iter_custom(|n| lane.call(n, callbacks));
        });
    }
    report("callbacks in one crossing, 4 beside 1", 1000, || {
        let lane = Rc::new(Lane::new(Wait::Spin, message(BODY), Edit::Nothing));
        let same = lane.clone();
        (move |n| lane.call(n, 1), move |n| same.call(n, 4))
    });
}

/// A large body must cost no more than to copy it in and out on both sides, and less where it stays as it is.
fn bodies(criterion: &mut Criterion) {
    for (size, body) in [("64 KiB", 64 << 10), ("1 MiB", 1 << 20)] {
        let mut group = criterion.benchmark_group(format!("a body of {size}, spinning"));
        group.sample_size(20).measurement_time(Duration::from_secs(2));
        let copies = copied(body);
        group.bench_function("copied in and out", |bench| bench.iter_custom(|n| copies.run(n)));
        for (edited, edit) in [("unchanged", Edit::Nothing), ("changed", Edit::Body)] {
            let lane = Lane::new(Wait::Spin, message(body), edit);
            group.bench_function(BenchmarkId::new("lane", edited), |bench| bench.iter_custom(|n| lane.call(n, 1)));
            report(&format!("a body of {size}, {edited}"), (16 << 20) / body as u64, || {
                let (copied, lane) = (copied(body), Lane::new(Wait::Spin, message(body), edit));
                (move |n| copied.run(n), move |n| lane.call(n, 1))
            });
        }
    }
}

/// Whoever notifies waits for nobody, so it must not pay for waking anybody either.
fn notes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a note");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    let lane = Lane::new(Wait::Spin, message(BODY), Edit::Nothing);
    group.bench_function("on the caller", |bench| bench.iter_custom(|n| lane.notify(n)));
}

criterion_group!(benches, calls, crossings, bodies, notes);

/// As `criterion_main!`, but for the process that is the other side.
fn main() {
    be_the_other_side();
    benches();
    Criterion::default().configure_from_args().final_summary();
}

//! What a dispatch costs compared with an empty loop and with a raw loop of the same calls.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hookrail::{Callbacks, Decision, Flow, HookPoint, Host, Priority, StatsLevel};
use hookrail_abi::{Point, points};
use hookrail_benches::{Work, WorkDone};

#[path = "../shared/mod.rs"]
mod shared;

use shared::{LENGTHS, hosts, loops, republish};

/// Every message passes every point: an empty point must cost nothing, and a chain no more than its calls.
fn lengths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dispatch");
    for len in LENGTHS {
        let (_host, point) = hosts::with(len);
        let pairs = hosts::aligned(&point.raw_pairs());
        group.bench_function(BenchmarkId::new("empty loop", len), |bench| bench.iter_custom(loops::empty));
        group.bench_function(BenchmarkId::new("raw", len), |bench| bench.iter_custom(|n| loops::raw(n, &pairs)));
        if len > 0 {
            let unrolled = |n| loops::unrolled(n, &pairs);
            group.bench_function(BenchmarkId::new("unrolled", len), |bench| bench.iter_custom(unrolled));
        }
        let dispatch = |n| loops::dispatch(n, &point, len);
        group.bench_function(BenchmarkId::new("hookrail", len), |bench| bench.iter_custom(dispatch));
    }
}

/// A broker dispatches on all its threads: they must not write to shared memory.
fn two_threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dispatch on 2 threads");
    for len in LENGTHS {
        let (_host, point) = hosts::with(len);
        let pairs = hosts::aligned(&point.raw_pairs());
        let raw = |n| loops::on_threads(2, n, |n| loops::raw(n, &pairs));
        group.bench_function(BenchmarkId::new("raw", len), |bench| bench.iter_custom(raw));
        let dispatch = |n| loops::on_threads(2, n, |n| loops::dispatch(n, &point, len));
        group.bench_function(BenchmarkId::new("hookrail", len), |bench| bench.iter_custom(dispatch));
    }
}

/// Plugins are loaded and unloaded while messages flow: dispatching threads must not notice, not even in the slowest of
/// a thousand dispatches.
fn republished(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dispatch of 8, republished 1,000 times a second");
    let (host, point) = hosts::with(8);
    let mut guest = Some(republish::guest(&host));
    let dispatch = |n| loops::dispatch(n, &point, 8);
    group.bench_function("quiet", |bench| bench.iter_custom(dispatch));
    group.bench_function("republished", |bench| {
        republish::while_republished(&host, &mut guest, || bench.iter_custom(dispatch));
    });
    let tail = || loops::quantiles(200_000, [0.5, 0.999], dispatch);
    let quiet = tail();
    let (busy, _) = republish::while_republished(&host, &mut guest, tail);
    println!("one dispatch, the clock included: median and p99.9 {quiet:?} ns quiet, {busy:?} ns republished");
}

/// Recording costs something, but only as much as the level asks for.
fn levels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("levels, 8 callbacks");
    for level in [StatsLevel::Off, StatsLevel::Count, StatsLevel::Histogram] {
        let (host, point) = hosts::with(8);
        host.set_level(WorkDone::NAME, level).expect("its own point");
        group.bench_function(level.name(), |bench| bench.iter_custom(|n| loops::dispatch(n, &point, 8)));
    }
}

points! {
    /// A point whose callback dispatches on another one.
    // SAFETY: a number owns all it holds.
    unsafe local Outer: "bench.outer", 1, Fold<Work> {}
}

/// A callback may dispatch, for instance to publish a message of its own: that takes the slower way in, whose cost must
/// not grow unnoticed.
fn nested(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("nested dispatch of 8");
    let (host, inner) = hosts::with(8);
    let pairs = hosts::aligned(&inner.raw_pairs());
    // SAFETY: `host` is kept, so the pairs stay registered; the payload is that of its point, and exclusive.
    let raw = move |work: &mut Work| unsafe { hosts::run_raw(&pairs, std::ptr::from_mut(work).cast()) };
    let outer = outer(&host, move |work| assert!(raw(work) == 0));
    group.bench_function("raw", |bench| bench.iter_custom(|n| run(n, &outer)));
    let (host, inner) = hosts::with(8);
    let outer = self::outer(&host, move |work| assert!(inner.dispatch(work).decision() == Decision::Passed));
    group.bench_function("hookrail", |bench| bench.iter_custom(|n| run(n, &outer)));

    fn run(rounds: u64, outer: &HookPoint<Outer>) -> Duration {
        loops::timed!(rounds, 8, |work| assert!(outer.dispatch(work).decision() == Decision::Passed))
    }
}

/// A host's outer point with one callback, which runs `inner`.
fn outer(host: &Host, inner: impl Fn(&mut Work) + Send + Sync + 'static) -> HookPoint<Outer> {
    let run = move |work: &mut Work| {
        inner(work);
        Flow::Continue
    };
    host.register(Callbacks::new("outer").on(Outer, "inner", Priority::new(0), run)).expect("the only one");
    host.point(Outer).expect("its own point")
}

criterion_group!(benches, lengths, two_threads, republished, levels, nested);
criterion_main!(benches);

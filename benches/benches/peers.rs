//! Dispatch beside what a program would use instead.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::{LENGTHS, hosts, loops, peers};

/// Whoever can have the same with less has no use for a host: it must be ahead of every peer that
/// allows change at run time.
fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("peers");
    for len in LENGTHS {
        let (_host, point) = hosts::with(len);
        let pairs = hosts::aligned(&point.raw_pairs());
        let dispatch = |n| loops::dispatch(n, &point, len);
        group.bench_function(BenchmarkId::new("hookrail", len), |bench| bench.iter_custom(dispatch));
        // SAFETY: `_host` is kept, so the pairs stay registered as long as the peers run.
        for (peer, run) in unsafe { peers::all(&pairs) } {
            group.bench_function(BenchmarkId::new(peer, len), |bench| bench.iter_custom(&run));
        }
    }
}

criterion_group!(benches, all);
criterion_main!(benches);

//! Dispatch compared with what a program would use instead.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::{LENGTHS, hosts, loops, peers};

/// If a simpler mechanism did the same, a host would be useless: it must be faster than every peer that allows changes
/// at run time.
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

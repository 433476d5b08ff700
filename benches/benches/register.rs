//! What changing chains costs with many callbacks, points and threads.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::{hosts, register, republish};

/// A program registers a thousand plugins at its start, each in one transaction. A large transaction must not cost more
/// per callback than a small one, which is the baseline.
fn one_transaction(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("register in one transaction");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    for count in [1000, 2000, 5000, 10_000] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bench| {
            bench.iter_custom(|n| (0..n).map(|_| register::one_transaction(count)).sum());
        });
    }
}

/// A writer reads the record of every thread: a server has hundreds, most of them asleep. No thread is the baseline;
/// records are reused and never freed, so their number only grows.
fn idle_threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish and retire beside idle threads");
    let (host, _) = hosts::with(0);
    let _hooked = republish::guest(&host);
    let writers_host = hosts::with(0).0;
    for count in [0, 10, 100, 1000] {
        let _idle = register::Idle::start(count, &host);
        group.bench_function(BenchmarkId::from_parameter(count), |bench| {
            bench.iter_custom(|n| register::publications(n, &writers_host));
        });
    }
}

criterion_group!(benches, one_transaction, idle_threads);
criterion_main!(benches);

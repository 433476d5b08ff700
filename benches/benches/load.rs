//! What a load costs compared with opening a copy of the same file.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::load;

/// An author reloads a plugin all day, and a fleet of plugins is loaded at every start: the checks must be cheap
/// compared with the system's own work.
fn all(criterion: &mut Criterion) {
    let host = load::host();
    for plugin in load::PLUGINS {
        let file = hookrail_tests::plugin(plugin);
        let mut group = criterion.benchmark_group(format!("load {plugin}"));
        group.sample_size(20).measurement_time(Duration::from_secs(2));
        group.bench_function("copy, dlopen", |bench| {
            bench.iter_custom(|n| (0..n).map(|_| load::copy_and_open(&file)).map(|[copy, open, _]| copy + open).sum());
        });
        group.bench_function("hookrail", |bench| {
            bench.iter_custom(|n| (0..n).map(|_| load::load_and_unload(&host, &file)[0]).sum());
        });
        for (part, time) in load::parts(&host, &file) {
            println!("{part:>24} {time:>10.1?}");
        }
    }
}

criterion_group!(benches, all);
criterion_main!(benches);

//! What counting its memory costs a plugin.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::memory::{Allocating, BLOCKS};

/// Every container of a plugin pays for counting. The same plugin without counting is the baseline.
fn counted(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("allocate and free 64 bytes");
    for blocks in BLOCKS {
        for (name, counted) in [("not counted", false), ("counted", true)] {
            let plugin = Allocating::new(blocks, counted);
            let id = BenchmarkId::new(name, format!("{blocks} at a time"));
            group.bench_function(id, |bench| bench.iter_custom(|n| plugin.run(n)));
        }
    }
}

criterion_group!(benches, counted);
criterion_main!(benches);

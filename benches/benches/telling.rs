//! What it costs a plugin to tell, and not to.

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::telling::Telling;

/// A `trace!` stands in every plugin that was ever looked into: those that nobody wants must be free.
fn disabled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a disabled trace! in a plugin");
    let telling = Telling::new();
    group.bench_function("empty loop", |bench| bench.iter_custom(|n| telling.silent(n)));
    group.bench_function("trace!", |bench| bench.iter_custom(|n| telling.disabled(n)));
}

/// Beside what the same event costs the program itself, with the same subscriber.
fn told(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("an event");
    let telling = Telling::new();
    group.bench_function("of the program", |bench| bench.iter_custom(|n| telling.own_events(n)));
    group.bench_function("of a plugin", |bench| bench.iter_custom(|n| telling.events(n)));
}

criterion_group!(benches, disabled, told);
criterion_main!(benches);

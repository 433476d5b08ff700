//! What logging costs a plugin, and what it costs when it is disabled.

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../shared/mod.rs"]
mod shared;

use shared::telling::Telling;

/// Every plugin that was ever debugged contains `trace!` calls: disabled ones must cost nothing.
fn disabled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a disabled trace! in a plugin");
    let telling = Telling::new();
    group.bench_function("empty loop", |bench| bench.iter_custom(|n| telling.silent(n)));
    group.bench_function("trace!", |bench| bench.iter_custom(|n| telling.disabled(n)));
}

/// Compared with the cost of the same event in the program itself, with the same subscriber.
fn told(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("an event");
    let telling = Telling::new();
    group.bench_function("of the program", |bench| bench.iter_custom(|n| telling.own_events(n)));
    group.bench_function("of a plugin", |bench| bench.iter_custom(|n| telling.events(n)));
}

/// The cost of a callback that panics: the panic is caught, logged and counted.
fn panics(criterion: &mut Criterion) {
    let telling = Telling::new();
    criterion.bench_function("a caught panic", |bench| bench.iter_custom(|n| telling.panics(n)));
}

criterion_group!(benches, disabled, told, panics);
criterion_main!(benches);

//! What replacing old code with new code costs.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hookrail_abi::Point;

#[path = "../shared/mod.rs"]
mod shared;

use shared::reloaders::{Bare, HotLib};
use shared::replace::{self, Builds, PARTS, Replacing};
use shared::swap::Swapping;
use shared::{LENGTHS, hosts, loops, pins, register};

/// An author waits for this after every build: it should be little more than the system's time for opening the file and
/// the plugin's own time for starting.
fn to_the_first_message(criterion: &mut Criterion) {
    of(criterion, replace::small());
    of(criterion, replace::real());
}

fn of<P: Point>(criterion: &mut Criterion, builds: Builds<P>) {
    let mut replacing = Replacing::new(builds);
    let mut group = criterion.benchmark_group(format!("replace {}", replacing.name()));
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.bench_function("by hand", |bench| bench.iter_custom(|n| (0..n).map(|_| replacing.by_hand().0).sum()));
    group.bench_function("hookrail", |bench| bench.iter_custom(|n| (0..n).map(|_| replacing.upgrade().0).sum()));
    for (part, time) in PARTS.iter().zip(replacing.upgrade().1) {
        println!("{part:>24} {time:>10.1?}");
    }
}

/// The alternatives for replacing code without a host. They do less, so they may be faster; the difference is what the
/// rest costs.
fn peers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replace, beside peers");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    let (mut hot, mut bare) = (HotLib::new(), Bare::new());
    group.bench_function("hot-lib-reloader", |bench| {
        bench.iter_custom(|n| (0..n).map(|_| hot.turn().reload).sum());
    });
    group.bench_function("libloading", |bench| bench.iter_custom(|n| (0..n).map(|_| bare.turn()).sum()));
    let mut replacing = Replacing::new(replace::small());
    group.bench_function("hookrail", |bench| bench.iter_custom(|n| (0..n).map(|_| replacing.upgrade().0).sum()));
}

/// The only phase in which chains change: it should cost no more than its publications, one for each point.
fn swap(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("swap of 100 points");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    let mut swapping = Swapping::new();
    group.bench_function("one publication", |bench| {
        bench.iter_custom(|n| register::publications(n, swapping.host()));
    });
    group.bench_function("swap", |bench| bench.iter_custom(|n| (0..n).map(|_| swapping.swap()).sum()));
}

/// A program that needs several points at one instant pays for a pin on every message.
fn pin(criterion: &mut Criterion) {
    for len in LENGTHS.into_iter().take(4) {
        let mut group = criterion.benchmark_group(format!("pin, {len} callbacks"));
        let (host, point) = hosts::with(len);
        if len == 0 {
            group.bench_function("empty loop", |bench| bench.iter_custom(loops::empty));
            group.bench_function("empty pin", |bench| bench.iter_custom(|n| pins::empty(n, &host)));
        }
        group.bench_function("dispatch", |bench| bench.iter_custom(|n| loops::dispatch(n, &point, len)));
        group.bench_function("pinned", |bench| bench.iter_custom(|n| pins::dispatch(n, &host, &point, len)));
    }
}

criterion_group!(benches, to_the_first_message, peers, swap, pin);
criterion_main!(benches);

//! What the source `http` costs: the whole way into a pipeline, beside bare axum, which reads the same bodies and drops them.
//!
//! `cargo run --release -p hookrail-benches --example http`
//!
//! Both sides take turns in the same process, with the same clients. It is for a machine that does nothing else.

use std::process::ExitCode;

#[path = "../../shared/processor.rs"]
mod processor;
#[path = "../workers/rows.rs"]
mod rows;

mod clients;
mod sides;

use clients::Load;
use rows::Rows;

/// How often each side is measured; the best counts.
const ROUNDS: usize = 5;
/// What must be reached of what bare axum does.
const BOUND: f64 = 0.5;

fn main() -> ExitCode {
    let mut rows = Rows::default();
    for load in [Load { lines: 1, requests: 20_000 }, Load { lines: 100, requests: 4_000 }] {
        let (mut bare, mut plugin) = (0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            bare = bare.max(sides::by_axum(|at| load.run(at)));
            plugin = plugin.max(sides::by_plugin(|at| load.run(at)));
        }
        rows.print(
            &format!("lines of 200 bytes, {} a request", load.lines),
            &format!("{plugin:.0} lines a second, {:.2} x bare axum with {bare:.0}", plugin / bare),
            Some((&format!("{BOUND} x"), plugin >= BOUND * bare)),
        );
    }
    println!("\n{}", processor::processor());
    if rows.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! What pipelines cost: what was measured beside what must be reached.
//!
//! `cargo run --release -p hookrail-benches --example streams`
//!
//! Both sides of a comparison take turns in the same process. It is for a machine that does nothing else, with two
//! processors at least.

use std::process::ExitCode;

#[path = "../../shared/processor.rs"]
mod processor;
#[path = "../workers/rows.rs"]
mod rows;

mod pipes;

use pipes::{by_channel, by_pipeline};
use rows::Rows;

/// How often each side is measured; the best counts.
const ROUNDS: usize = 7;
/// How many messages pass in a round.
const MESSAGES: usize = 2_000_000;

fn main() -> ExitCode {
    let mut rows = Rows::default();
    let (channel, pipeline) = best(&mut || by_channel(MESSAGES), &mut || by_pipeline(1, MESSAGES));
    rows.print(
        "a queue between two threads, batches of 256",
        &format!(
            "{} a second, {:.2} x the same chain and a bounded crossbeam-channel",
            million(pipeline),
            pipeline / channel
        ),
        Some(("0.8 x", pipeline >= 0.8 * channel)),
    );
    let (two, eight) = best(&mut || by_pipeline(2, MESSAGES), &mut || by_pipeline(8, MESSAGES));
    rows.print(
        "8 sources at once",
        &format!("{} a second, {:.2} x those of 2", million(eight), eight / two),
        Some(("the total of 2 sources", eight >= two)),
    );
    println!("\n{}", processor::processor());
    if rows.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The most messages a second of each side, which take turns.
fn best(one: &mut dyn FnMut() -> f64, other: &mut dyn FnMut() -> f64) -> (f64, f64) {
    let mut best = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        best = (best.0.max(one()), best.1.max(other()));
    }
    best
}

fn million(number: f64) -> String {
    format!("{:.2} million", number / 1e6)
}

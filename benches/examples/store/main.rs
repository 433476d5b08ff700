//! Measures the store: installing, starting a host with installed plugins, listing, verifying.
//!
//! `cargo run --release -p hookrail-benches --example store` runs all measurements; with `install`, `start`, `list` or
//! `verify` after it, only that one.
//!
//! A case and its baseline alternate; the best round of each is shown and judged.

mod install;
mod list;
mod made;
mod row;
mod start;
mod taking;
mod verify;

use std::process::ExitCode;

use row::Row;

/// A measurement.
type Measure = fn(&made::Maker) -> Vec<Row>;

fn main() -> ExitCode {
    eprintln!("building what is measured");
    let maker = made::Maker::new();
    let mut rows = Vec::new();
    let only = std::env::args().nth(1);
    let measures: [(&str, Measure); 4] = [
        ("install", install::measure),
        ("start", start::measure),
        ("list", list::measure),
        ("verify", verify::measure),
    ];
    for (_, measure) in measures.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        for row in measure(&maker) {
            eprintln!("{}: {}", row.case, row.measured);
            rows.push(row);
        }
    }
    println!("| case | must | measured |\n|---|---|---|");
    for Row { case, must, measured, is_met } in &rows {
        let missed = if *is_met { "" } else { "**missed**: " };
        println!("| {case} | {must} | {missed}{measured} |");
    }
    let missed = rows.iter().filter(|row| !row.is_met).count();
    println!("\nBounds missed: {missed}.");
    ExitCode::from(u8::from(missed > 0))
}

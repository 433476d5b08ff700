//! Replaces a plugin ten thousand times under full load: `cargo run --release -p hookrail-tests
//! --example soak -- --replacements 10000`. Prints what it counted, and fails when a bound is missed.
//!
//! An example and not a program of the package: `cargo run` at the root must find one program.

use std::process::ExitCode;

use hookrail_tests::soak::{Plan, run};
use hookrail_tests::zoo;

/// What a process may grow by, whatever it replaced.
const GROWTH: usize = 2 << 20;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let replacements = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(10_000),
        ["--replacements", number] => number.parse().ok(),
        _ => None,
    };
    let Some(replacements) = replacements else {
        eprintln!("usage: soak [--replacements NUMBER]");
        return ExitCode::from(2);
    };
    let mut code = ExitCode::SUCCESS;
    for specimen in ["replaced_with_thread_locals", "replaced_with_threads"] {
        let report = run(Plan { file: zoo(specimen), replacements, growth: GROWTH });
        println!("{report}");
        for missed in report.missed() {
            println!("  MISSED: {missed}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

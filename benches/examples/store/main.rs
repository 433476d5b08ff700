//! What is installed, measured: installing, starting a host with it, listing it, verifying it.
//!
//! `cargo run --release -p hookrail-benches --example store`, or with one of `install`, `start`, `list` and
//! `verify` behind it for that alone.
//!
//! A case and its baseline take turns; the best of each is what is shown and judged.

mod install;
mod list;
mod made;
mod start;
mod verify;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A line of the table.
struct Row {
    case: String,
    must: &'static str,
    measured: String,
    is_met: bool,
}

/// Measures one thing.
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

/// The best of so many rounds, in which both take turns: of the baseline, and of the case.
fn compare(rounds: usize, mut baseline: impl FnMut() -> Duration, mut case: impl FnMut() -> Duration) -> [f64; 2] {
    let mut best = [f64::MAX; 2];
    for _ in 0..rounds {
        for (best, took) in best.iter_mut().zip([baseline(), case()]) {
            *best = best.min(took.as_secs_f64() * 1e3);
        }
    }
    best
}

/// How long a program takes that has to succeed and of which nobody reads what it prints.
fn timed(command: &mut Command) -> Duration {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("it starts");
    let took = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// The program, on a home.
fn hookrail(home: &std::path::Path) -> Command {
    let mut command = Command::new(hookrail_tests::program());
    command.env("HOOKRAIL_HOME", home).current_dir(home).env_remove("HOOKRAIL_LOG").env_remove("HOOKRAIL_PLUGINS");
    command
}

/// Folders on a disk, and in memory where the machine has such.
fn places() -> Vec<(&'static str, PathBuf)> {
    let disk = hookrail_tests::own_target("store");
    std::fs::create_dir_all(&disk).expect("cargo's own folder");
    let memory = PathBuf::from("/dev/shm");
    let mut places = vec![("on a disk, synced", disk)];
    places.extend(memory.is_dir().then_some(("in memory, where nothing is synced", memory)));
    places
}

/// Where much is installed fast.
fn fastest() -> PathBuf {
    places().pop().expect("there is one").1
}

//! The table of docs/performance.md: what was measured beside what must be reached.
//!
//! `cargo run --release -p hookrail-benches --example table`
//!
//! Several processes are used, since the same loop is faster in some processes than in others for as long as they run;
//! each of them runs interleaved rounds. The values shown and judged are the medians, over the processes, of the
//! medians over the rounds.

use std::process::{Command, ExitCode};
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[path = "../../shared/mod.rs"]
mod shared;

mod bound;
mod replaced;
mod watched;

use bound::{Bound, LONG_ROUNDS, ROUNDS};
use shared::rounds::{Compared, compare};
use shared::{LENGTHS, hosts, load, loops, memory, peers, processor::processor, register, republish, telling};

const PROCESSES: usize = 5;

/// One comparison: the row of the table it belongs to, and its label within the row.
#[derive(Deserialize, Serialize)]
struct Sample {
    row: String,
    label: String,
    compared: Compared,
}

/// The rows and their bounds, in the order of the issue.
const ROWS: [(&str, &str, Bound); 16] = [
    ("empty point", "at most 1 ns over an empty loop", Bound::More(1.0)),
    ("1, 2 callbacks", "raw + 0.5 ns", Bound::More(0.5)),
    ("4 to 256 callbacks", "0.95, 0.8, 0.9, 0.6, 0.5 of raw", Bound::TimesByLength(OF_RAW)),
    ("the loop unrolled alike", "1.05 of it, or 0.5 ns over it", Bound::TimesOrMore(1.05, 0.5)),
    ("instructions", "24 over raw per dispatch, 4 per callback", Bound::Instructions(24.0, 4.0)),
    ("2 threads on one point", "1.1 x raw on two threads", Bound::Times(1.1)),
    ("republished 1,000 times a second", "1.1 x the quiet cost", Bound::Times(1.1)),
    ("the same, one by one", "printed", Bound::None),
    ("host.load", "1.3 x (copy to memfd, dlopen)", Bound::Times(1.3)),
    ("load and unload, part by part", "printed", Bound::None),
    ("10,000 callbacks on 1,000 points", "linear: per callback within 1.25 x that of 1,000", Bound::Times(1.25)),
    ("a writer beside 1,000 idle threads", "at most 20 ns per thread more", Bound::More(20.0)),
    ("a disabled trace! in a plugin", "at most 1 ns over an empty loop", Bound::More(1.0)),
    ("an event of a plugin", "printed, by one of the program", Bound::Beside),
    ("a caught panic", "printed", Bound::None),
    ("64 bytes allocated or freed, counted", "at most 1 ns more", Bound::More(1.0)),
];

/// How much of the raw loop a dispatch may take, by the number of its callbacks.
const OF_RAW: &[(&str, f64)] = &[("4", 0.95), ("8", 0.8), ("16", 0.9), ("64", 0.6), ("256", 0.5)];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("measure") {
        measure(&|row, label, compared| {
            let sample = Sample { row: row.into(), label, compared };
            println!("{}", serde_json::to_string(&sample).expect("numbers and text"));
        });
        return ExitCode::SUCCESS;
    }
    eprintln!("building what is loaded");
    hookrail_tests::work(0);
    hookrail_tests::plugin("mask");
    hookrail_tests::marked("marked", 1);
    hookrail_tests::allocating(true);
    hookrail_tests::count();
    let mut samples: Vec<Sample> = Vec::new();
    for process in 1..=PROCESSES {
        eprintln!("process {process} of {PROCESSES}");
        let program = std::env::current_exe().expect("the system knows it");
        let output = Command::new(program).arg("measure").output().expect("it starts again");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        samples.extend(lines.map(|line| serde_json::from_slice::<Sample>(line).expect("our own words")));
    }
    instructions(&mut samples);
    print(&samples)
}

/// Measures all times, and passes row, label and comparison to `found`.
fn measure(found: &dyn Fn(&str, String, Compared)) {
    const TURN: Duration = Duration::from_micros(200);
    const TURN_OF_TWO: Duration = Duration::from_millis(2);

    for len in LENGTHS {
        let (host, point) = hosts::with(len);
        let pairs = hosts::aligned(&point.raw_pairs());
        let (raw, dispatch) = (|n| loops::raw(n, &pairs), |n| loops::dispatch(n, &point, len));
        if len == 0 {
            found(ROWS[0].0, len.to_string(), compare(ROUNDS, TURN, loops::empty, dispatch));
        } else {
            let row = if len <= 2 { ROWS[1].0 } else { ROWS[2].0 };
            found(row, len.to_string(), compare(ROUNDS, TURN, raw, dispatch));
            found(ROWS[3].0, len.to_string(), compare(ROUNDS, TURN, |n| loops::unrolled(n, &pairs), dispatch));
            let two = |run: &(dyn Fn(u64) -> Duration + Sync), n| loops::on_threads(2, n, run);
            let two = compare(LONG_ROUNDS, TURN_OF_TWO, |n| two(&raw, n), |n| two(&dispatch, n));
            found(ROWS[5].0, len.to_string(), two);
        }
        // SAFETY: `host` is kept, so the pairs stay registered as long as the peers run.
        for (peer, run) in unsafe { peers::all(&pairs) } {
            found(&format!("against {peer}"), len.to_string(), compare(ROUNDS, TURN, run, dispatch));
        }
        drop(host);
    }
    republished(found);
    loads(found);
    replaced::measure(found);
    watched::measure(found);
    for count in [2000, 5000, 10_000] {
        let each = |count: usize| register::one_transaction(count).as_nanos() as f64 / count as f64;
        found(ROWS[10].0, count.to_string(), Compared::of((0..LONG_ROUNDS).map(|_| (each(1000), each(count)))));
    }
    idle_threads(found);
    let telling = telling::Telling::new();
    found(ROWS[12].0, "a step".into(), compare(ROUNDS, TURN, |n| telling.silent(n), |n| telling.disabled(n)));
    found(ROWS[13].0, "an event".into(), compare(ROUNDS, TURN, |n| telling.own_events(n), |n| telling.events(n)));
    found(ROWS[14].0, "in all".into(), compare(ROUNDS, TURN, |n| telling.silent(n), |n| telling.panics(n)));
    allocations(found);
}

fn republished(found: &dyn Fn(&str, String, Compared)) {
    for len in [1, 8, 64] {
        let (host, point) = hosts::with(len);
        let guest = std::cell::RefCell::new(Some(republish::guest(&host)));
        let dispatch = |n| loops::dispatch(n, &point, len);
        let republished = |n| republish::while_republished(&host, &mut guest.borrow_mut(), || dispatch(n)).0;
        found(ROWS[6].0, len.to_string(), compare(LONG_ROUNDS, Duration::from_millis(20), dispatch, republished));

        let tail = || loops::quantiles(1_000_000, [0.5, 0.999], dispatch);
        let quiet = tail();
        let (busy, publications) = republish::while_republished(&host, &mut guest.borrow_mut(), tail);
        assert!(publications > 10, "the republisher had its turns");
        for (index, name) in ["median", "p99.9"].into_iter().enumerate() {
            found(ROWS[7].0, format!("{len}, {name}"), Compared::of([(quiet[index], busy[index])]));
        }
    }
}

fn loads(found: &dyn Fn(&str, String, Compared)) {
    let host = load::host();
    for plugin in load::PLUGINS {
        let file = hookrail_tests::plugin(plugin);
        let nanoseconds = |time: Duration| time.as_nanos() as f64;
        let round = |_| {
            let [copy, open, _] = load::copy_and_open(&file);
            (nanoseconds(copy + open), nanoseconds(load::load_and_unload(&host, &file)[0]))
        };
        found(ROWS[8].0, plugin.into(), Compared::of((0..LONG_ROUNDS).map(round)));
        let parts = load::parts(&host, &file);
        let all = nanoseconds(parts.iter().find(|(part, _)| *part == "load in all").expect("a part").1);
        for (part, time) in parts {
            found(ROWS[9].0, format!("{plugin}: {part}"), Compared::of([(all, nanoseconds(time))]));
        }
    }
}

fn idle_threads(found: &dyn Fn(&str, String, Compared)) {
    const THREADS: usize = 1000;
    const PUBLICATIONS: u64 = 500;
    let (host, _) = hosts::with(0);
    let (hooked, _) = hosts::with(1);
    // Not alternating, since a record stays once it is made.
    let per_thread =
        || register::publications(PUBLICATIONS, &host).as_nanos() as f64 / (PUBLICATIONS * THREADS as u64) as f64;
    let times = || (0..LONG_ROUNDS).map(|_| per_thread()).collect::<Vec<_>>();
    let without = times();
    let idle = register::Idle::start(THREADS, &hooked);
    let with = times();
    drop(idle);
    found(ROWS[11].0, "per thread".into(), Compared::of(without.into_iter().zip(with)));
}

fn allocations(found: &dyn Fn(&str, String, Compared)) {
    const TURN: Duration = Duration::from_micros(200);
    for blocks in memory::BLOCKS {
        let [without, counted] = [false, true].map(|counted| memory::Allocating::new(blocks, counted));
        // Each block is allocated and freed.
        let compared = compare(ROUNDS, TURN, |n| without.run(n), |n| counted.run(n)).per(2);
        found(ROWS[15].0, format!("{blocks} at a time"), compared);
    }
}

/// Counts instructions, if callgrind is installed.
fn instructions(samples: &mut Vec<Sample>) {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    for len in [0, 1, 8, 64] {
        eprintln!("instructions of {len} callbacks");
        let baseline = hookrail_tests::instructions(if len == 0 { "empty" } else { "raw" }, len);
        let compared = Compared::of([(baseline as f64, hookrail_tests::instructions("dispatch", len) as f64)]);
        samples.push(Sample { row: ROWS[4].0.into(), label: len.to_string(), compared });
    }
}

/// Prints the table, then the details after it. Fails if a bound is exceeded.
fn print(samples: &[Sample]) -> ExitCode {
    let mut rows: Vec<(String, &str, &Bound)> = ROWS
        .iter()
        .chain(&watched::ROWS)
        .chain(&replaced::ROWS)
        .map(|(row, must, bound)| ((*row).into(), *must, bound))
        .collect();
    for sample in samples.iter().filter(|sample| sample.row.starts_with("against ")) {
        if !rows.iter().any(|(row, ..)| *row == sample.row) {
            let fixed = sample.row.ends_with(peers::FIXED);
            let (must, bound) =
                if fixed { ("printed: it cannot change", &Bound::None) } else { ("ahead", &Bound::Times(1.0)) };
            rows.push((sample.row.clone(), must, bound));
        }
    }
    let (mut table, mut figures, mut missed) = (String::new(), String::new(), 0);
    for (row, must, bound) in rows {
        let mut labels: Vec<&str> = Vec::new();
        for sample in samples.iter().filter(|sample| sample.row == row) {
            if !labels.contains(&&*sample.label) {
                labels.push(&sample.label);
            }
        }
        let mut cells = Vec::new();
        let mut holds = true;
        for label in labels {
            let of = |sample: &&Sample| sample.row == row && sample.label == label;
            let processes: Vec<_> = samples.iter().filter(of).map(|sample| sample.compared.clone()).collect();
            let all = Compared::across(&processes);
            let (held, cell) = bound.judge(label, &all);
            holds &= held;
            cells.push(if held { cell } else { format!("**{cell}**") });
            let Compared { baseline, candidate, more, ratio } = all;
            figures += &format!(
                "| {row} | {label} | {baseline:.2} | {candidate:.2} | {:+.2} | {:+.2} | {:.3} | {:.3} |\n",
                more.0, more.1, ratio.0, ratio.1
            );
        }
        missed += usize::from(!holds);
        let verdict = if matches!(bound, Bound::None | Bound::Beside) {
            ""
        } else if cells.is_empty() {
            "skipped"
        } else if holds {
            "yes"
        } else {
            "**no**"
        };
        table += &format!("| `{row}` | {must} | {} | {verdict} |\n", cells.join("; "));
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{}, {threads} threads; {PROCESSES} processes of {LONG_ROUNDS} to {ROUNDS} interleaved rounds.\n",
        processor()
    );
    println!("| case | must reach | measured | reached |\n|---|---|---|---|\n{table}");
    println!(
        "Behind it, in nanoseconds (instructions in their row): baseline, Hookrail, and what differs, least and median.\n"
    );
    println!(
        "| case | | baseline | ours | least more | more | least ratio | ratio |\n|---|---|---|---|---|---|---|---|\n{figures}"
    );
    println!("Bounds missed: {missed}.");
    ExitCode::from(u8::from(missed > 0))
}

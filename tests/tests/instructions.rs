//! What dispatch costs over the raw loop, in instructions: exact, whatever else the machine does.
//! Time is measured in benches; this is the gate.

use std::path::Path;
use std::process::Command;

/// Per dispatch: entering, leaving, and finding the chain. Lower it when it falls.
const PER_DISPATCH: u64 = 21;

/// Per callback: naming it, and loading its code apart from the call.
const PER_CALLBACK: u64 = 2;

/// A point without callbacks, over an empty loop.
const EMPTY: u64 = 7;

#[test]
fn dispatch_costs_no_more_instructions_than_it_did() {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    let program = hookrail_tests::count();
    for callbacks in [1, 8, 64] {
        let (raw, dispatch) = (count(&program, "raw", callbacks), count(&program, "dispatch", callbacks));
        println!("{callbacks:>2} callbacks: raw {raw}, dispatch {dispatch}");
        assert!(
            dispatch <= raw + PER_DISPATCH + PER_CALLBACK * callbacks,
            "{callbacks} callbacks: {dispatch} over {raw}"
        );
    }
    let (nothing, empty) = (count(&program, "empty", 0), count(&program, "dispatch", 0));
    println!(" 0 callbacks: an empty loop {nothing}, dispatch {empty}");
    assert!(empty <= nothing + EMPTY, "an empty point: {empty} over {nothing}");
}

/// Instructions of one round: what two runs differ by, when they differ in their rounds alone.
fn count(program: &Path, mode: &str, callbacks: u64) -> u64 {
    let run = |rounds: u64| {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(format!("--toggle-collect=count::{mode}"))
            .arg(program)
            .args([mode, &callbacks.to_string(), &rounds.to_string()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let total = said.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind prints a total").1;
        total.trim().parse::<u64>().unwrap()
    };
    let (some, more) = (run(1000), run(2000));
    assert_eq!((more - some) % 1000, 0, "each round costs the same");
    (more - some) / 1000
}

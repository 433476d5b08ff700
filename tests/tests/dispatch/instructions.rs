//! What dispatch costs over the raw loop, in instructions: exact, whatever else the machine does.
//! Time is measured in benches; this is the gate.

use hookrail_tests::{instructions, instructions_about};

/// The instructions that a dispatch of so many callbacks takes over the raw loop: entering, leaving and finding the
/// chain; naming each callback; in a long chain, the call of its loop. Lower them when they fall.
const OVER_RAW: [(usize, u64); 3] = [(1, 23), (8, 54), (64, 117)];

/// A point without callbacks, over an empty loop.
const EMPTY: u64 = 7;

/// What counting adds to a dispatch, however many callbacks it has.
const COUNTED: u64 = 21;

#[test]
fn counting_costs_no_more_instructions_than_it_did() {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    for callbacks in [1, 8, 64] {
        let (dispatch, counted) = (instructions("dispatch", callbacks), instructions("counted", callbacks));
        println!("{callbacks:>2} callbacks: dispatch {dispatch}, counted {counted}");
        assert!(counted <= dispatch + COUNTED, "{callbacks} callbacks: {counted} over {dispatch}");
    }
}

#[test]
fn dispatch_costs_no_more_instructions_than_it_did() {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    for (callbacks, allowed) in OVER_RAW {
        let (raw, dispatch) = (instructions("raw", callbacks), instructions("dispatch", callbacks));
        println!("{callbacks:>2} callbacks: raw {raw}, dispatch {dispatch}");
        assert!(dispatch <= raw + allowed, "{callbacks} callbacks: {dispatch} over {raw}");
    }
    let (nothing, empty) = (instructions("empty", 0), instructions("dispatch", 0));
    println!(" 0 callbacks: an empty loop {nothing}, dispatch {empty}");
    assert!(empty <= nothing + EMPTY, "an empty point: {empty} over {nothing}");
}

/// Patterns of topics that do not match cost nothing.
#[test]
fn finding_subscriptions_costs_what_matches() {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    let few = instructions_about("topics", 10);
    for many in [1000, 100_000] {
        let cost = instructions_about("topics", many);
        println!("{many} patterns, of which 3 match: {cost:.0} instructions, {:.2} x those of 10", cost / few);
        assert!(cost <= 2.0 * few, "{many} patterns: {cost} instructions, and {few} with 10");
    }
}

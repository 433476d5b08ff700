//! What dispatch costs over the raw loop, in instructions: exact, whatever else the machine does.
//! Time is measured in benches; this is the gate.

use hookrail_tests::instructions;

/// Per dispatch: entering, leaving, and finding the chain. Lower it when it falls.
const PER_DISPATCH: u64 = 21;

/// Per callback: naming it, and loading its code apart from the call.
const PER_CALLBACK: u64 = 2;

/// A point without callbacks, over an empty loop.
const EMPTY: u64 = 7;

/// What counting adds, per dispatch and per callback.
const COUNTED: (u64, u64) = (26, 0);

#[test]
fn counting_costs_no_more_instructions_than_it_did() {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    for callbacks in [1, 8, 64] {
        let (dispatch, counted) = (instructions("dispatch", callbacks), instructions("counted", callbacks));
        println!("{callbacks:>2} callbacks: dispatch {dispatch}, counted {counted}");
        let allowed = COUNTED.0 + COUNTED.1 * callbacks as u64;
        assert!(counted <= dispatch + allowed, "{callbacks} callbacks: {counted} over {dispatch}");
    }
}

#[test]
fn dispatch_costs_no_more_instructions_than_it_did() {
    if !hookrail_tests::has_peer("valgrind", "valgrind") {
        return;
    }
    for callbacks in [1, 8, 64] {
        let (raw, dispatch) = (instructions("raw", callbacks), instructions("dispatch", callbacks));
        println!("{callbacks:>2} callbacks: raw {raw}, dispatch {dispatch}");
        let allowed = PER_DISPATCH + PER_CALLBACK * callbacks as u64;
        assert!(dispatch <= raw + allowed, "{callbacks} callbacks: {dispatch} over {raw}");
    }
    let (nothing, empty) = (instructions("empty", 0), instructions("dispatch", 0));
    println!(" 0 callbacks: an empty loop {nothing}, dispatch {empty}");
    assert!(empty <= nothing + EMPTY, "an empty point: {empty} over {nothing}");
}

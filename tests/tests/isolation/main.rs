//! Plugins in worker processes: what ends a worker costs one answer, and everything else is as in the host's own
//! process.

mod alike;
mod configs;
mod containing;
mod crashes;
mod dispatching;
mod ephemeral;
mod given_up;
mod kills;
mod lifecycle;
mod limits;
mod moving;
mod neighbours;
mod notes;
mod points;
mod scenes;
mod secrets;
mod telling;
mod units;

/// This binary is the host and its workers.
#[test]
fn this_binary_runs_workers() {
    assert!(hookrail_tests::worker::is_linked());
}

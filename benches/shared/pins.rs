//! What a pin costs: alone, and around a dispatch.

use std::time::Duration;

use hookrail::{Decision, HookPoint, Host};
use hookrail_benches::WorkDone;

use super::loops::timed;

/// A pin that does nothing.
pub(crate) fn empty(rounds: u64, host: &Host) -> Duration {
    timed!(rounds, 0, |_work| host.pin(|_| ()))
}

/// A pin around the dispatch of a chain of `callbacks` callbacks.
pub(crate) fn dispatch(rounds: u64, host: &Host, point: &HookPoint<WorkDone>, callbacks: usize) -> Duration {
    timed!(rounds, callbacks, |work| {
        assert!(host.pin(|pin| pin.dispatch(point, work)).decision() == Decision::Passed);
    })
}

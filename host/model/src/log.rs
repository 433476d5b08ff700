//! Logging, by the subscriber of the embedding program.
//!
//! It may panic. That must end nothing of ours: not a dispatch, which has to leave, not a thread that others
//! rely on, nor what comes behind the line.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Logs as `tracing`'s macro of that name does: `log!(warn, plugin, "it is late")`.
#[macro_export]
macro_rules! log {
    ($level:ident, $($what:tt)+) => {
        $crate::guarded((), || $crate::tracing::$level!($($what)+))
    };
}

/// Runs what goes through the subscriber of the embedding program, which may panic; that must not reach a
/// plugin, whose frames it cannot cross, nor a drop, nor what [`log!`](crate::log) says.
pub fn guarded<R>(failed: R, run: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        // Its drop may panic again.
        std::mem::forget(payload);
        failed
    })
}

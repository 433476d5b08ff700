//! Logging, by the subscriber of the embedding program.
//!
//! It may panic. That must end nothing of ours: not a dispatch, which has to leave, not a thread that others
//! rely on, nor what comes behind the line.

/// Logs as `tracing`'s macro of that name does: `log!(warn, plugin, "it is late")`.
macro_rules! log {
    ($level:ident, $($what:tt)+) => {
        $crate::diagnostics::guarded((), || tracing::$level!($($what)+))
    };
}

//! What plugins tell by `tracing` and `log`, and the subscriber that hears it.

mod closing;
mod events_and_spans;
mod late_logging;
mod logging_in_once;
mod panicking_subscriber;

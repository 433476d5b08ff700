//! What the host and its plugins log, on stderr.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::talk;

/// Begins to show warnings and errors; more with `-v`, or what `$HOOKRAIL_LOG` says.
pub(crate) fn install(verbose: u8) {
    let level = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let from_environment = std::env::var("HOOKRAIL_LOG").ok().filter(|filter| !filter.is_empty() && verbose == 0);
    let filter = from_environment.as_deref().unwrap_or(level);
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(filter))
        .with_ansi(talk::has_colour(&io::stderr()))
        .with_writer(|| talk::Stderr)
        .with_target(false)
        .without_time()
        .init();
}

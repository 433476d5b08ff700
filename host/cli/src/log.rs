//! What the host and its plugins log, on stderr.

use std::io;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt};

use crate::stderr;

/// Begins to show warnings and errors; more with `-v`, or what `$HOOKRAIL_LOG` says.
pub(crate) fn install(verbose: u8) {
    let level = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let from_environment = std::env::var("HOOKRAIL_LOG").ok().filter(|filter| !filter.is_empty() && verbose == 0);
    let filter = EnvFilter::builder().parse_lossy(from_environment.as_deref().unwrap_or(level));
    let lines = fmt::layer()
        .with_ansi(stderr::has_colour(&io::stderr()))
        .with_writer(|| stderr::Stderr)
        .with_target(false)
        .without_time()
        .with_filter(filter.or(OfPlugins));
    tracing_subscriber::registry().with(lines).init();
}

/// What plugins tell has a level of its own for each of them, and has passed it.
struct OfPlugins;

impl<S> Filter<S> for OfPlugins {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_of_plugin(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_of_plugin(metadata) { Interest::always() } else { Interest::never() }
    }

    /// For the host's own lines, which alone go by it; plugins begin with what it allows those.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }
}

/// The host puts these on whatever a plugin tells, and on nothing of its own.
fn is_of_plugin(metadata: &Metadata<'_>) -> bool {
    ["instance", "plugin", "generation"].iter().all(|name| metadata.fields().field(name).is_some())
}

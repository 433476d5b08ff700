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

/// Starts logging warnings and errors; more with `-v`, or as `$HOOKRAIL_LOG` says.
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

/// Accepts the records of plugins, which have already passed a level of their own.
struct OfPlugins;

impl<S> Filter<S> for OfPlugins {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_of_plugin(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_of_plugin(metadata) { Interest::always() } else { Interest::never() }
    }

    /// Applies to the host's own records only; plugins start with the level that it allows those.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }
}

/// The host adds these fields to every record of a plugin, and to none of its own.
fn is_of_plugin(metadata: &Metadata<'_>) -> bool {
    ["instance", "plugin", "generation"].iter().all(|name| metadata.fields().field(name).is_some())
}

//! What the host and its plugins log, on stderr: lines with time and level.

use std::fmt::{self, Debug};
use std::io;
use std::time::SystemTime;

use hookrail::time::rfc3339_millis;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::fmt::format::{FormatFields, Writer, debug_fn};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields, layer};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

use crate::{harmless, stderr};

/// Starts logging warnings and errors; more with `-v`, or as `$HOOKRAIL_LOG` says.
pub(crate) fn install(verbose: u8) {
    let level = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let from_environment = std::env::var("HOOKRAIL_LOG").ok().filter(|filter| !filter.is_empty() && verbose == 0);
    let filter = EnvFilter::builder().parse_lossy(from_environment.as_deref().unwrap_or(level));
    let lines = layer()
        .with_ansi(stderr::has_colour(&io::stderr()))
        .with_writer(|| stderr::Stderr)
        .fmt_fields(debug_fn(write_field).delimited(" "))
        .event_format(Lines)
        .with_filter(filter.or(OfPlugins));
    tracing_subscriber::registry().with(lines).init();
}

/// A record as a line: its time in UTC, its level, the spans it is in, and what it says.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = event.metadata().level();
        let (colour, end) = if to.has_ansi_escapes() { (colour(*level), harmless::END) } else { ("", "") };
        write!(to, "{} {colour}{level:>5}{end} ", rfc3339_millis(SystemTime::now()))?;
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            write!(to, "{}", harmless::part(span.name().into()))?;
            match span.extensions().get::<FormattedFields<N>>() {
                Some(fields) if !fields.is_empty() => write!(to, "{{{fields}}}: ")?,
                _ => write!(to, ": ")?,
            }
        }
        context.format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}

/// Writes a field of a record or of a span. Plugins say what is in it, so nothing in it looks like another line.
fn write_field(to: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match (field.name(), format!("{value:?}")) {
        // A panic's has a backtrace.
        ("message", text) => write!(to, "{}", harmless::indented(&text)),
        (name, text) => write!(to, "{}={}", harmless::part(name.into()), harmless::part(text)),
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
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

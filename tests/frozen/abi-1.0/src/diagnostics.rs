//! Passes to the host what this library reports about itself: its `tracing` and `log` records, and its panics.
//!
//! `tracing` and `log` keep their receivers in statics, and every library has its own copy of those. So the host's
//! receivers see nothing of a plugin, and a plugin's own receivers would be lost with every generation. When the host
//! binds `trace/1`, zero-sized receivers are installed in those statics: they hold no state, use no thread-local, and
//! disappear with the library. They pass everything to the host, which copies it, numbers the spans, and records which
//! plugin it came from.

mod bound;
mod callsite;
mod log;
mod panic;
mod subscriber;
mod values;

use tracing_core::{Dispatch, dispatcher};

use crate::boundary::{TraceLibrary, TraceService};

pub(crate) use panic::{caught, install_hook};

/// The plugin's `trace/1`: from now on records go to the host.
///
/// A library that has receivers of its own by now, put there by a constructor, keeps them.
///
/// # Safety
/// `service` points to a host's table, valid for as long as this library is loaded, whose functions take `library`.
pub(crate) unsafe extern "C" fn bind(library: *const TraceLibrary, service: *const TraceService) {
    // SAFETY: the caller passes a table that stays valid while this library is loaded, and takes `library`.
    unsafe { bound::set_host(library, service) };
    let _ = dispatcher::set_global_default(Dispatch::new(subscriber::ToHost));
    let _ = ::log::set_logger(&log::ToHost);
}

/// The plugin's `trace/1`: how much is told from now on.
///
/// # Safety
/// No preconditions: `unsafe` is part of the type in `TraceTable`.
pub(crate) unsafe extern "C" fn set_level(level: u32) {
    bound::set_level(level);
    tracing_core::callsite::rebuild_interest_cache();
    ::log::set_max_level(match level {
        0 => ::log::LevelFilter::Off,
        1 => ::log::LevelFilter::Error,
        2 => ::log::LevelFilter::Warn,
        3 => ::log::LevelFilter::Info,
        4 => ::log::LevelFilter::Debug,
        _ => ::log::LevelFilter::Trace,
    });
}

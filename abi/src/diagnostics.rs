//! Hands to the host what this library tells of itself: what it says by `tracing` and `log`, and how
//! it panics.
//!
//! `tracing` and `log` keep their receivers in statics, of which every library has its own. So the
//! host's receivers hear nothing of a plugin, and the plugin's own would be lost with every
//! generation. When the host binds `trace/1`, receivers without size are put there: they keep nothing,
//! use no thread-local, and are gone with the library. All of it goes to the host, which copies
//! it, numbers the spans, and knows whose it is.

mod bound;
mod callsite;
mod log;
mod panic;
mod subscriber;
mod values;

use std::ffi::c_void;

use tracing_core::{Dispatch, dispatcher};

use crate::boundary::TraceService;

pub(crate) use panic::{caught, install_hook};

/// The plugin's `trace/1`: what is told goes to the host from now on.
///
/// A library that has receivers of its own by now, put there by a constructor, keeps them.
///
/// # Safety
/// `service` points to a host's table, valid for as long as this library is loaded, whose functions take `library`.
pub(crate) unsafe extern "C" fn bind(library: *const c_void, service: *const TraceService) {
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

//! Hands to the host what this library tells of itself: what it says by `tracing` and `log`, and how
//! it panics.
//!
//! `tracing` and `log` keep their receivers in statics, of which every library has its own. So the
//! host's receivers hear nothing of a plugin, and the plugin's own would be lost with every
//! generation. When the host binds `trace/1`, receivers without size are put there: they keep nothing,
//! use no thread-local, and are gone with the library. All of it goes to the host, which copies
//! it, numbers the spans, and knows whose it is.

mod callsite;
mod log;
mod panic;
mod subscriber;
mod values;

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use tracing_core::{Dispatch, LevelFilter, dispatcher};

use crate::boundary::TraceService;

pub(crate) use panic::{caught, install_hook};

/// The host's service, and what it knows this library by; null before it has bound.
static SERVICE: AtomicPtr<TraceService> = AtomicPtr::new(null_mut());
static LIBRARY: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// How much is told. What is disabled is found so by `tracing` and `log` themselves, each in a
/// static of its own that follows this one.
static LEVEL: AtomicU32 = AtomicU32::new(0);

/// The plugin's `trace/1`: what is told goes to the host from now on.
///
/// A library that has receivers of its own by now, put there by a constructor, keeps them.
pub(crate) unsafe extern "C" fn bind(library: *const c_void, service: *const TraceService) {
    LIBRARY.store(library.cast_mut(), Ordering::Relaxed);
    // Release: pairs with the Acquire in `host`.
    SERVICE.store(service.cast_mut(), Ordering::Release);
    let _ = dispatcher::set_global_default(Dispatch::new(subscriber::ToHost));
    let _ = ::log::set_logger(&log::ToHost);
}

/// The plugin's `trace/1`: how much is told from now on.
pub(crate) unsafe extern "C" fn set_level(level: u32) {
    // Relaxed: nobody relies on when exactly it changes.
    LEVEL.store(level, Ordering::Relaxed);
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

fn level() -> LevelFilter {
    match LEVEL.load(Ordering::Relaxed) {
        0 => LevelFilter::OFF,
        1 => LevelFilter::ERROR,
        2 => LevelFilter::WARN,
        3 => LevelFilter::INFO,
        4 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

fn host() -> Option<(&'static TraceService, *const c_void)> {
    // SAFETY: `bind` stored a table that the host keeps for as long as this library is loaded.
    let service = unsafe { SERVICE.load(Ordering::Acquire).as_ref() }?;
    Some((service, LIBRARY.load(Ordering::Relaxed)))
}

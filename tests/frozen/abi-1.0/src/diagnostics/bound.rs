//! What the host has bound: the service that receives every record, and the level.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use tracing_core::LevelFilter;

use crate::boundary::{Growing, TraceLibrary, TraceService};

/// The host's service, and the value by which the host identifies this library; null until the host has bound it.
static SERVICE: AtomicPtr<TraceService> = AtomicPtr::new(null_mut());
static LIBRARY: AtomicPtr<TraceLibrary> = AtomicPtr::new(null_mut());
/// How much is reported. `tracing` and `log` each check it in a static of their own, which follows this one.
static LEVEL: AtomicU32 = AtomicU32::new(0);

/// Stores the host's service, and the value by which the host identifies this library.
///
/// # Safety
/// `service` points to a host's table, valid for as long as this library is loaded, whose functions take `library`.
pub(super) unsafe fn set_host(library: *const TraceLibrary, service: *const TraceService) {
    LIBRARY.store(library.cast_mut(), Ordering::Relaxed);
    // Release: pairs with the Acquire in `host`.
    SERVICE.store(service.cast_mut(), Ordering::Release);
}

/// Sets how much is reported from now on.
pub(super) fn set_level(level: u32) {
    // Relaxed: no code relies on when exactly it changes.
    LEVEL.store(level, Ordering::Relaxed);
}

pub(super) fn level() -> LevelFilter {
    match LEVEL.load(Ordering::Relaxed) {
        0 => LevelFilter::OFF,
        1 => LevelFilter::ERROR,
        2 => LevelFilter::WARN,
        3 => LevelFilter::INFO,
        4 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

pub(super) fn host() -> Option<(TraceService, *const TraceLibrary)> {
    // SAFETY: null, or what `set_host` was given: a table that the host keeps for as long as this library is loaded.
    let service = unsafe { TraceService::find(SERVICE.load(Ordering::Acquire)) }?;
    Some((service, LIBRARY.load(Ordering::Relaxed)))
}

//! A `tracing` callsite, as it crosses the boundary.

use std::ptr::from_ref;

use tracing_core::{Level, Metadata};

use crate::boundary::{SITE_EVENT, SITE_SPAN, Str, TraceLibrary, TraceService, TraceSite, TraceSiteId};

/// The id by which the host identifies a callsite: the address of its metadata, a static of this library.
pub(super) fn id(metadata: &'static Metadata<'static>) -> *const TraceSiteId {
    from_ref(metadata).cast()
}

/// The metadata of a callsite that the host has been told of.
///
/// # Safety
/// `id` is what `id()` returned for a callsite of this library.
pub(super) unsafe fn of_id(id: *const TraceSiteId) -> &'static Metadata<'static> {
    // SAFETY: `id` is the address of a callsite's metadata, a static of this library.
    unsafe { &*id.cast() }
}

/// Describes a callsite to the host.
pub(super) fn describe(service: &TraceService, library: *const TraceLibrary, metadata: &'static Metadata<'static>) {
    let fields: Vec<_> = metadata.fields().iter().map(|field| Str::new(field.name())).collect();
    let site = TraceSite {
        size: size_of::<TraceSite>() as u32,
        kind: if metadata.is_span() { SITE_SPAN } else { SITE_EVENT },
        level: number(*metadata.level()),
        line: metadata.line().unwrap_or(0),
        id: id(metadata),
        name: Str::new(metadata.name()),
        target: Str::new(metadata.target()),
        module: Str::new(metadata.module_path().unwrap_or_default()),
        file: Str::new(metadata.file().unwrap_or_default()),
        fields: fields.as_ptr(),
        field_count: fields.len(),
    };
    // SAFETY: the site holds for the call, with the texts and fields that it points to; the host has bound the service.
    unsafe { (service.describe)(library, &site) }
}

fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

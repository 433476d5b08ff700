//! The receiver of `tracing`.

use std::ptr::null;

use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Event, LevelFilter, Metadata, Subscriber};

use super::bound::{host, level};
use super::callsite;
use super::values::Values;
use crate::boundary::{PARENT_CURRENT, PARENT_NONE};

/// Passes every record to the host. Installed only once a host has bound.
pub(super) struct ToHost;

impl Subscriber for ToHost {
    /// Called when a callsite is first hit, or when the level has changed.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match host() {
            Some((service, library)) if *metadata.level() <= level() => {
                callsite::describe(&service, library, metadata);
                // The host's own filter may change at any time, so it is asked each time.
                Interest::sometimes()
            }
            _ => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Metadata with a shorter life was never described, so the host does not know it.
        let site = std::ptr::from_ref(metadata).cast();
        // SAFETY: the host only compares the address of the site; it has bound the service.
        *metadata.level() <= level()
            && host().is_some_and(|(service, library)| unsafe { (service.enabled)(library, site) } != 0)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(level())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let values = Values::collect(|visitor| span.record(visitor));
        let parent = parent(span.is_root(), span.parent());
        let (site, values) = (callsite::id(span.metadata()), values.as_slice());
        let number = host().map_or(0, |(service, library)| {
            // SAFETY: the values hold for the call; the host has bound the service.
            let open = || unsafe { (service.span_open)(library, site, parent, values.as_ptr(), values.len()) };
            match open() {
                // Another thread registered the callsite first, and has not described it yet.
                0 => {
                    callsite::describe(&service, library, span.metadata());
                    open()
                }
                number => number,
            }
        });
        // No span has the number that means "no parent", so that number is ignored when it comes back.
        Id::from_u64(number.max(PARENT_NONE))
    }

    fn record(&self, span: &Id, record: &Record<'_>) {
        let values = Values::collect(|visitor| record.record(visitor));
        let values = values.as_slice();
        if let Some((service, library)) = host() {
            // SAFETY: the values hold for the call; the host has bound the service.
            unsafe { (service.span_record)(library, span.into_u64(), values.as_ptr(), values.len()) }
        }
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        if let Some((service, library)) = host() {
            // SAFETY: numbers are passed, to the service that the host has bound with this `library`.
            unsafe { (service.span_follows)(library, span.into_u64(), follows.into_u64()) }
        }
    }

    fn event(&self, event: &Event<'_>) {
        let values = Values::collect(|visitor| event.record(visitor));
        let parent = parent(event.is_root(), event.parent());
        let (site, values) = (callsite::id(event.metadata()), values.as_slice());
        if let Some((service, library)) = host() {
            // SAFETY: the values hold for the call; the host has bound the service.
            let tell = || unsafe { (service.event)(library, site, parent, values.as_ptr(), values.len()) };
            // Another thread registered the callsite first, and has not described it yet.
            if tell() != 0 {
                callsite::describe(&service, library, event.metadata());
                tell();
            }
        }
    }

    fn enter(&self, span: &Id) {
        if let Some((service, library)) = host() {
            // SAFETY: a number is passed, to the service that the host has bound with this `library`.
            unsafe { (service.span_enter)(library, span.into_u64()) }
        }
    }

    fn exit(&self, span: &Id) {
        if let Some((service, library)) = host() {
            // SAFETY: a number is passed, to the service that the host has bound with this `library`.
            unsafe { (service.span_exit)(library, span.into_u64()) }
        }
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some((service, library)) = host() {
            // SAFETY: a number is passed, to the service that the host has bound with this `library`.
            unsafe { (service.span_clone)(library, span.into_u64()) }
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        // SAFETY: a number is passed, to the service that the host has bound with this `library`.
        host().is_some_and(|(service, library)| unsafe { (service.span_drop)(library, span.into_u64()) } != 0)
    }

    fn current_span(&self) -> Current {
        let Some((service, library)) = host() else { return Current::none() };
        let mut site = null();
        // SAFETY: `site` is room for a pointer; the host has bound the service.
        match unsafe { (service.span_current)(library, &mut site) } {
            0 => Current::none(),
            // SAFETY: the span is this library's, so `site` is the id of the callsite that it was opened with here.
            span => Current::new(Id::from_u64(span), unsafe { callsite::of_id(site) }),
        }
    }
}

fn parent(is_root: bool, parent: Option<&Id>) -> u64 {
    match parent {
        _ if is_root => PARENT_NONE,
        Some(parent) => parent.into_u64(),
        None => PARENT_CURRENT,
    }
}

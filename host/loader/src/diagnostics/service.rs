//! The functions that a library calls: `trace/1`.

use std::sync::Arc;

use hookrail_abi::boundary::{
    Growing, PARENT_CURRENT, PARENT_NONE, Str, TraceLibrary, TracePanic, TraceService, TraceSite, TraceSiteId,
    TraceTable, TraceValue,
};
use hookrail_model::guarded;
use hookrail_model::log_level::LogLevel;
use tracing::Event;
use tracing::dispatcher::get_default;
use tracing::span::{Attributes, Id, Record};

use super::of_plugin::PluginDiagnostics;
use super::record::Values;
use super::site::Site;
use super::span::Spans;
use crate::symbols::Symbols;

static TABLE: TraceService = TraceService {
    size: size_of::<TraceService>() as u32,
    describe,
    enabled,
    event,
    log,
    span_open,
    span_record,
    span_follows,
    span_enter,
    span_exit,
    span_clone,
    span_drop,
    span_current,
    panicked,
    caught,
};

/// # Safety
/// `library` is what [`PluginDiagnostics::bind`] gave to a library, of diagnostics that are not dropped for `'a`.
unsafe fn diagnostics<'a>(library: *const TraceLibrary) -> &'a PluginDiagnostics {
    // SAFETY: `library` is the address of diagnostics that are not dropped for `'a`.
    unsafe { &*library.cast::<PluginDiagnostics>() }
}

impl PluginDiagnostics {
    /// The library is loaded, and may tell.
    /// # Safety
    /// The table is that of its library, which is loaded. Before it is closed `close` is called, and the
    /// diagnostics are not dropped before it is gone.
    pub(crate) unsafe fn bind(self: &Arc<Self>, table: &TraceTable, symbols: Option<Symbols>) {
        if let Some(symbols) = symbols {
            let _ = self.symbols.set(Arc::new(symbols));
        }
        // SAFETY: the service lives as long as the process, the diagnostics as long as the caller promises.
        unsafe { (table.bind)(Arc::as_ptr(self).cast(), &TABLE) };
        self.set_level.lock().set(Some(table.set_level));
    }

    /// Logs a line of an instance, for `log/1`.
    pub fn line(&self, instance: &str, level: u32, text: &str) {
        if LogLevel::of_number(level.max(1)) <= self.level() {
            self.tell(Site::of_lines(level), Some(instance), PARENT_CURRENT, &Values::message(text.into()));
        }
    }

    fn site(&self, id: *const TraceSiteId) -> Option<&'static Site> {
        self.sites.read().get(&id.addr()).copied()
    }

    /// Reports an event, unless the subscriber does not want it.
    pub(super) fn tell(&self, site: &'static Site, instance: Option<&str>, parent: u64, values: &Values<'_>) {
        get_default(|dispatch| {
            if site.is_enabled(dispatch) {
                values.with(site, Some((self, instance)), |values| {
                    dispatch.event(&match self.parent(parent) {
                        Parent::Current => Event::new(site.metadata(), values),
                        Parent::None => Event::new_child_of(None, site.metadata(), values),
                        Parent::Span(span) => Event::new_child_of(span, site.metadata(), values),
                    });
                });
            }
        });
    }

    fn open(&self, site: &'static Site, own_site: *const TraceSiteId, parent: u64, values: &Values<'_>) -> u64 {
        let (number, instance) = (Spans::number(), self.instance());
        get_default(|dispatch| {
            if site.is_enabled(dispatch) {
                let id = values.with(site, Some((self, instance.as_deref())), |values| {
                    dispatch.new_span(&match self.parent(parent) {
                        Parent::Current => Attributes::new(site.metadata(), values),
                        Parent::None => Attributes::new_root(site.metadata(), values),
                        Parent::Span(span) => Attributes::child_of(span, site.metadata(), values),
                    })
                });
                self.spans.add(number, dispatch.clone(), id, site, own_site.expose_provenance());
            }
        });
        number
    }

    /// The parent, in the subscriber's terms.
    fn parent(&self, parent: u64) -> Parent {
        match parent {
            PARENT_CURRENT => Parent::Current,
            PARENT_NONE => Parent::None,
            // A span that is closed, or that belongs to another subscriber, is no parent here.
            number => match self.spans.find(number) {
                Some(span) => Parent::Span(span.id.clone()),
                // A parent that the subscriber did not want is no reason to drop this span or event.
                None => Parent::None,
            },
        }
    }
}

enum Parent {
    Current,
    None,
    Span(Id),
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; `site` is readable for the call, with
/// all that it points to.
unsafe extern "C" fn describe(library: *const TraceLibrary, site: *const TraceSite) {
    guarded((), || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; the site is readable for the
        // call.
        let (diagnostics, Ok(site)) = (unsafe { (diagnostics(library), TraceSite::read(site)) }) else { return };
        if diagnostics.site(site.id).is_none() {
            // SAFETY: the site is readable for the call, with all that it points to.
            let copy = unsafe { Site::of(&site) };
            diagnostics.sites.write().insert(site.id.addr(), copy);
        }
    });
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there.
unsafe extern "C" fn enabled(library: *const TraceLibrary, site: *const TraceSiteId) -> u32 {
    guarded(0, || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
        let site = unsafe { diagnostics(library) }.site(site);
        // Another thread may be about to describe it: what is reported meanwhile must not be lost.
        site.is_none_or(|site| get_default(|dispatch| site.is_enabled(dispatch))).into()
    })
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; so many values are readable for the
/// call, with the texts that they point to.
unsafe extern "C" fn event(
    library: *const TraceLibrary,
    site: *const TraceSiteId,
    parent: u64,
    values: *const TraceValue,
    value_count: usize,
) -> u32 {
    guarded(0, || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; the values are readable for
        // the call.
        let (diagnostics, values) = unsafe { (diagnostics(library), Values::of(values, value_count)) };
        let site = diagnostics.site(site);
        if let Some(site) = site {
            diagnostics.tell(site, diagnostics.instance().as_deref(), parent, &values);
        }
        site.is_none().into()
    })
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; `site` and `text` are readable for the
/// call, with all that they point to.
unsafe extern "C" fn log(library: *const TraceLibrary, site: *const TraceSite, text: Str) {
    guarded((), || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; site and text are readable
        // for the call.
        let (diagnostics, Ok(site), text) = (unsafe { (diagnostics(library), TraceSite::read(site), text.to_text()) })
        else {
            return;
        };
        // SAFETY: the site is readable for the call, with all that it points to.
        let site = unsafe { Site::of(&site) };
        diagnostics.tell(site, diagnostics.instance().as_deref(), PARENT_CURRENT, &Values::message(text));
    });
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; so many values are readable for the
/// call, with the texts that they point to.
unsafe extern "C" fn span_open(
    library: *const TraceLibrary,
    site: *const TraceSiteId,
    parent: u64,
    values: *const TraceValue,
    value_count: usize,
) -> u64 {
    guarded(0, || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; the values are readable for
        // the call.
        let (diagnostics, values) = unsafe { (diagnostics(library), Values::of(values, value_count)) };
        diagnostics.site(site).map_or(0, |copy| diagnostics.open(copy, site, parent, &values))
    })
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; so many values are readable for the
/// call, with the texts that they point to.
unsafe extern "C" fn span_record(
    library: *const TraceLibrary,
    span: u64,
    values: *const TraceValue,
    value_count: usize,
) {
    guarded((), || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; the values are readable for
        // the call.
        let (diagnostics, values) = unsafe { (diagnostics(library), Values::of(values, value_count)) };
        if let Some(span) = diagnostics.spans.find(span) {
            // The instance was recorded when the span was opened.
            values.with(span.site, None, |values| span.dispatch.record(&span.id, &Record::new(values)));
        }
    });
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there.
unsafe extern "C" fn span_follows(library: *const TraceLibrary, span: u64, from: u64) {
    guarded((), || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
        let spans = unsafe { &diagnostics(library).spans };
        if let (Some(span), Some(from)) = (spans.find(span), spans.find(from)) {
            span.dispatch.record_follows_from(&span.id, &from.id);
        }
    });
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there.
unsafe extern "C" fn span_enter(library: *const TraceLibrary, span: u64) {
    // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
    guarded((), || unsafe { diagnostics(library) }.spans.enter(span));
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there.
unsafe extern "C" fn span_exit(library: *const TraceLibrary, span: u64) {
    // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
    guarded((), || unsafe { diagnostics(library) }.spans.exit(span));
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there.
unsafe extern "C" fn span_clone(library: *const TraceLibrary, span: u64) {
    // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
    guarded((), || unsafe { diagnostics(library) }.spans.hold(span));
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there.
unsafe extern "C" fn span_drop(library: *const TraceLibrary, span: u64) -> u32 {
    // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
    guarded(0, || unsafe { diagnostics(library) }.spans.let_go(span).into())
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; `site` is room for a pointer.
unsafe extern "C" fn span_current(library: *const TraceLibrary, site: *mut *const TraceSiteId) -> u64 {
    guarded(0, || {
        // SAFETY: the library passes what it was bound with, and its diagnostics outlive it.
        let Some((number, own_site)) = unsafe { diagnostics(library) }.spans.current() else { return 0 };
        // SAFETY: the library passes room for a pointer.
        unsafe { site.write(std::ptr::with_exposed_provenance(own_site)) };
        number
    })
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; `panic` is readable for the call, with
/// all that it points to.
unsafe extern "C" fn panicked(library: *const TraceLibrary, panic: *const TracePanic) {
    // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; the panic is readable for the
    // call.
    guarded((), || unsafe {
        if let Ok(panic) = TracePanic::read(panic) {
            diagnostics(library).panicked(&panic);
        }
    });
}

/// # Safety
/// `library` is what `bind` gave to the library, whose diagnostics are still there; `message` is readable for the call.
unsafe extern "C" fn caught(library: *const TraceLibrary, message: Str) {
    // SAFETY: the library passes what it was bound with, and its diagnostics outlive it; the text is readable for the
    // call.
    guarded((), || unsafe { diagnostics(library).caught(&message.to_text()) });
}

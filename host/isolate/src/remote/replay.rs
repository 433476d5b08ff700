//! What a worker's subscriber was told, told again to the host's.
//!
//! `tracing` keeps callsites forever, so each place is made once for all workers, and only so many of them: what comes
//! from further ones is told by a common place of its level.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

use parking_lot::Mutex;
use tracing::dispatcher::get_default;
use tracing::{Dispatch, Event, Level, Metadata};
use tracing_core::callsite::{Callsite, Identifier};
use tracing_core::field::{DisplayValue, FieldSet, Value, ValueSet, display};
use tracing_core::metadata::Kind;
use tracing_core::span::{Attributes, Id, Record as Values};
use tracing_core::subscriber::Interest;

use crate::wire::{Field, Parent, Place, Record};

/// How many places are kept.
const PLACES: usize = 4096;
/// How many spans of a worker may be open at once; of further ones nothing is told.
const SPANS: usize = 4096;

static SITES: LazyLock<Mutex<HashMap<Place, &'static Site>>> = LazyLock::new(Mutex::default);

/// A callsite of a worker.
///
/// # Invariants
/// `metadata` is set before any code but [`Site::of`] sees the site.
struct Site {
    metadata: OnceLock<Metadata<'static>>,
}

impl Site {
    fn of(place: Place) -> &'static Self {
        let mut sites = SITES.lock();
        if let Some(site) = sites.get(&place) {
            return site;
        }
        let place = match sites.len() < PLACES {
            true => place,
            false => Place {
                is_span: place.is_span,
                level: place.level.clamp(1, 5),
                name: "worker".into(),
                target: "hookrail::worker".into(),
                module: None,
                file: None,
                line: None,
                fields: vec!["message".into()],
            },
        };
        if let Some(site) = sites.get(&place) {
            return site;
        }
        let site: &'static Site = Box::leak(Box::new(Site { metadata: OnceLock::new() }));
        let text = |text: &str| &*Box::leak(Box::<str>::from(text));
        let mut seen = HashSet::new();
        // A name that is there twice would be ambiguous, and more fields than that are not allowed.
        let names = place.fields.iter().filter(|name| seen.insert(name.as_str())).take(32).map(|name| text(name));
        let fields: &'static [&'static str] = Box::leak(names.collect::<Box<[_]>>());
        let level = match place.level {
            0 | 1 => Level::ERROR,
            2 => Level::WARN,
            3 => Level::INFO,
            4 => Level::DEBUG,
            _ => Level::TRACE,
        };
        let kind = if place.is_span { Kind::SPAN } else { Kind::EVENT };
        let metadata = Metadata::new(
            text(&place.name),
            text(&place.target),
            level,
            place.file.as_deref().map(text),
            place.line,
            place.module.as_deref().map(text),
            FieldSet::new(fields, Identifier(site)),
            kind,
        );
        // INVARIANT: before the site is given out.
        let _ = site.metadata.set(metadata);
        sites.insert(place, site);
        drop(sites);
        tracing_core::callsite::register(site);
        site
    }

    fn told(&'static self) -> &'static Metadata<'static> {
        self.metadata.get().expect("by the type invariant")
    }
}

impl Callsite for Site {
    // The subscriber is asked each time: nothing here is fast.
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata.get().expect("by the type invariant")
    }
}

/// What one worker has told so far.
#[derive(Default)]
pub(super) struct Replay {
    places: HashMap<u32, &'static Site>,
    spans: HashMap<u64, Span>,
}

/// A span of the host's subscriber, closed when this is dropped.
struct Span {
    dispatch: Dispatch,
    id: Id,
    site: &'static Site,
}

impl Drop for Span {
    fn drop(&mut self) {
        self.dispatch.try_close(self.id.clone());
    }
}

impl Replay {
    /// Tells the host's subscriber; what refers to nothing is not told.
    pub(super) fn tell(&mut self, record: Record) {
        match record {
            Record::Place(number, place) => {
                if self.places.len() < PLACES {
                    self.places.insert(number, Site::of(place));
                }
            }
            Record::Event { place, parent, values } => {
                let Some(site) = self.places.get(&place).copied() else { return };
                get_default(|dispatch| {
                    let metadata = site.told();
                    if dispatch.enabled(metadata) {
                        with(site, &values, |values| {
                            let parent = self.parent(&parent);
                            dispatch.event(&Event::new_child_of(parent, metadata, values));
                        });
                    }
                });
            }
            Record::SpanOpened { span, place, parent, values } => {
                let Some(site) = self.places.get(&place).copied() else { return };
                if self.spans.len() >= SPANS {
                    return;
                }
                let opened = get_default(|dispatch| {
                    let metadata = site.told();
                    dispatch.enabled(metadata).then(|| {
                        let id = with(site, &values, |values| {
                            dispatch.new_span(&match self.parent(&parent) {
                                Some(parent) => Attributes::child_of(parent, metadata, values),
                                None => Attributes::new_root(metadata, values),
                            })
                        });
                        Span { dispatch: dispatch.clone(), id, site }
                    })
                });
                if let Some(opened) = opened {
                    self.spans.insert(span, opened);
                }
            }
            Record::SpanRecorded { span, values } => {
                let Some(span) = self.spans.get(&span) else { return };
                with(span.site, &values, |values| span.dispatch.record(&span.id, &Values::new(values)));
            }
            Record::SpanFollows { span, follows } => {
                let (Some(span), Some(follows)) = (self.spans.get(&span), self.spans.get(&follows)) else { return };
                span.dispatch.record_follows_from(&span.id, &follows.id);
            }
            Record::SpanClosed { span } => drop(self.spans.remove(&span)),
        }
    }

    fn parent(&self, parent: &Parent) -> Option<Id> {
        match parent {
            Parent::None => None,
            Parent::Span(span) => self.spans.get(span).map(|span| span.id.clone()),
        }
    }
}

/// Passes values to `use_it` in the form in which they were reported; those of fields that are not there are left out.
fn with<R>(site: &'static Site, values: &[(u16, Field)], use_it: impl FnOnce(&ValueSet<'_>) -> R) -> R {
    let shown: Vec<Option<DisplayValue<&str>>> = values
        .iter()
        .map(|(_, value)| match value {
            Field::Shown(text) => Some(display(text.as_str())),
            _ => None,
        })
        .collect();
    let texts: Vec<&str> =
        values.iter().map(|(_, value)| if let Field::Text(text) = value { text } else { "" }).collect();
    let fields = site.told().fields();
    let mut all: Vec<Option<&dyn Value>> = vec![None; fields.len()];
    for (index, (field, value)) in values.iter().enumerate() {
        let Some(place) = all.get_mut(*field as usize) else { continue };
        *place = match value {
            Field::Bool(value) => Some(value),
            Field::Float(value) => Some(value),
            Field::Integer(value) => Some(value),
            Field::Unsigned(value) => Some(value),
            Field::Text(_) => Some(&texts[index]),
            Field::Shown(_) => shown[index].as_ref().map(|shown| shown as &dyn Value),
        };
    }
    use_it(&fields.value_set_all(&all))
}

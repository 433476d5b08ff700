//! The subscriber of a worker: everything that is reported here is told to the host, whose subscriber decides.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tracing_core::callsite::Identifier;
use tracing_core::field::{Field as Key, Visit};
use tracing_core::span::{Attributes, Current, Id, Record as Values};
use tracing_core::{Event, Level, Metadata, Subscriber};

use crate::wire::{Field, Parent, Place, Record, Sender, ToHost};

/// Has everything that this process reports told to the host.
pub(super) fn install(host: &Arc<Sender>) {
    let subscriber =
        Telling { host: host.clone(), places: Mutex::default(), spans: Mutex::default(), last: AtomicU64::new(0) };
    // Nothing else in this process has had the time to install one.
    let _ = tracing_core::dispatcher::set_global_default(tracing_core::Dispatch::new(subscriber));
}

struct Telling {
    host: Arc<Sender>,
    /// The numbers of the places that the host was told of.
    places: Mutex<HashMap<Identifier, u32>>,
    /// The open spans, with the number of their references.
    spans: Mutex<HashMap<u64, (&'static Metadata<'static>, u64)>>,
    last: AtomicU64,
}

thread_local! {
    /// The spans that this thread is in, innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Telling {
    fn tell(&self, record: Record) {
        // Without a host this process is about to end.
        let _ = self.host.send(&ToHost::Record(record), &[]);
    }

    /// The number of a place, of which the host is told before it is used.
    fn place(&self, metadata: &'static Metadata<'static>) -> u32 {
        let mut places = self.places.lock();
        let next = places.len() as u32;
        *places.entry(metadata.callsite()).or_insert_with(|| {
            // While the table is locked, so that no record overtakes it.
            self.tell(Record::Place(next, place(metadata)));
            next
        })
    }

    fn parent(&self, explicit: Option<&Id>, is_contextual: bool) -> Parent {
        let span = match explicit {
            Some(id) => Some(id.into_u64()),
            None if is_contextual => ENTERED.try_with(|all| all.borrow().last().copied()).ok().flatten(),
            None => None,
        };
        span.map_or(Parent::None, Parent::Span)
    }
}

impl Subscriber for Telling {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        // Relaxed: only distinctness matters.
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let place = self.place(span.metadata());
        self.spans.lock().insert(number, (span.metadata(), 1));
        let parent = self.parent(span.parent(), span.is_contextual());
        self.tell(Record::SpanOpened { span: number, place, parent, values: collected(|all| span.record(all)) });
        Id::from_u64(number)
    }

    fn record(&self, span: &Id, values: &Values<'_>) {
        self.tell(Record::SpanRecorded { span: span.into_u64(), values: collected(|all| values.record(all)) });
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.tell(Record::SpanFollows { span: span.into_u64(), follows: follows.into_u64() });
    }

    fn event(&self, event: &Event<'_>) {
        let place = self.place(event.metadata());
        let parent = self.parent(event.parent(), event.is_contextual());
        self.tell(Record::Event { place, parent, values: collected(|all| event.record(all)) });
    }

    fn enter(&self, span: &Id) {
        let _ = ENTERED.try_with(|all| all.borrow_mut().push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        let _ = ENTERED.try_with(|all| {
            let mut all = all.borrow_mut();
            if let Some(index) = all.iter().rposition(|entered| *entered == span.into_u64()) {
                all.remove(index);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some((_, holders)) = self.spans.lock().get_mut(&span.into_u64()) {
            *holders += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let number = span.into_u64();
        let mut spans = self.spans.lock();
        let Some((_, holders)) = spans.get_mut(&number) else { return false };
        *holders -= 1;
        if *holders > 0 {
            return false;
        }
        spans.remove(&number);
        drop(spans);
        self.tell(Record::SpanClosed { span: number });
        true
    }

    fn current_span(&self) -> Current {
        let innermost = ENTERED.try_with(|all| all.borrow().last().copied()).ok().flatten();
        let found = innermost.and_then(|number| Some((number, self.spans.lock().get(&number)?.0)));
        found.map_or_else(Current::none, |(number, metadata)| Current::new(Id::from_u64(number), metadata))
    }
}

fn place(metadata: &Metadata<'_>) -> Place {
    Place {
        is_span: metadata.is_span(),
        level: match *metadata.level() {
            Level::ERROR => 1,
            Level::WARN => 2,
            Level::INFO => 3,
            Level::DEBUG => 4,
            Level::TRACE => 5,
        },
        name: metadata.name().into(),
        target: metadata.target().into(),
        module: metadata.module_path().map(Into::into),
        file: metadata.file().map(Into::into),
        line: metadata.line(),
        fields: metadata.fields().iter().map(|field| field.name().into()).collect(),
    }
}

/// The values that `record` passes to a visitor.
fn collected(record: impl FnOnce(&mut dyn Visit)) -> Vec<(u16, Field)> {
    let mut all = Collected(Vec::new());
    record(&mut all);
    all.0
}

struct Collected(Vec<(u16, Field)>);

impl Collected {
    fn add(&mut self, key: &Key, value: Field) {
        // `tracing` allows fewer fields than that.
        self.0.push((key.index() as u16, value));
    }
}

impl Visit for Collected {
    fn record_debug(&mut self, key: &Key, value: &dyn Debug) {
        self.add(key, Field::Shown(format!("{value:?}")));
    }

    fn record_bool(&mut self, key: &Key, value: bool) {
        self.add(key, Field::Bool(value));
    }

    fn record_f64(&mut self, key: &Key, value: f64) {
        self.add(key, Field::Float(value));
    }

    fn record_i64(&mut self, key: &Key, value: i64) {
        self.add(key, Field::Integer(value));
    }

    fn record_u64(&mut self, key: &Key, value: u64) {
        self.add(key, Field::Unsigned(value));
    }

    fn record_str(&mut self, key: &Key, value: &str) {
        self.add(key, Field::Text(value.into()));
    }
}

//! Spans of plugins: their numbers, and the spans of the host's subscriber after them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hookrail_abi::boundary::PARENT_NONE;
use hookrail_model::guarded;
use parking_lot::Mutex;
use tracing::Dispatch;
use tracing::span::Id;

use super::site::Site;

/// The spans of one library that are open.
#[derive(Debug, Default)]
pub(super) struct Spans {
    open: Mutex<HashMap<u64, Open>>,
    leaving: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Open {
    span: Arc<Span>,
    /// How many hold it.
    holders: u64,
}

/// A span of the host's subscriber, which is closed when this is dropped: when nobody holds it, and no
/// thread is in it.
#[derive(Debug)]
pub(super) struct Span {
    /// The subscriber that has it.
    pub(super) dispatch: Dispatch,
    pub(super) id: Id,
    pub(super) site: &'static Site,
    /// Where the library has its site.
    own_site: usize,
}

/// A span that this thread is in, until this is dropped.
struct Entered {
    number: u64,
    span: Arc<Span>,
    /// That of its library's spans, which also tells them from all others: it is kept here, so no others have
    /// its address.
    leaving: Arc<AtomicBool>,
}

thread_local! {
    /// The spans of plugins that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

impl Spans {
    /// A number for a span that is about to be opened.
    pub(super) fn number() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(PARENT_NONE);
        // Relaxed: only distinctness matters.
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn add(&self, number: u64, dispatch: Dispatch, id: Id, site: &'static Site, own_site: usize) {
        let span = Arc::new(Span { dispatch, id, site, own_site });
        self.open.lock().insert(number, Open { span, holders: 1 });
    }

    /// The span, if it is open.
    pub(super) fn find(&self, number: u64) -> Option<Arc<Span>> {
        self.open.lock().get(&number).map(|open| open.span.clone())
    }

    /// One more holds it.
    pub(super) fn hold(&self, number: u64) {
        if let Some(open) = self.open.lock().get_mut(&number) {
            open.holders += 1;
        }
    }

    /// One less holds it; returns whether that was the last.
    pub(super) fn let_go(&self, number: u64) -> bool {
        let mut open = self.open.lock();
        let Some(found) = open.get_mut(&number) else { return false };
        found.holders -= 1;
        if found.holders > 0 {
            return false;
        }
        let last = open.remove(&number);
        // The subscriber may do anything, open a span among it.
        drop(open);
        last.is_some()
    }

    /// This thread enters it.
    pub(super) fn enter(&self, number: u64) {
        let Some(span) = self.find(number) else { return };
        span.dispatch.enter(&span.id);
        let entered = Entered { number, span, leaving: self.leaving.clone() };
        // Where a thread has no list any more, it leaves the span at once.
        let _ = ENTERED.try_with(|all| all.borrow_mut().push(entered));
    }

    /// This thread leaves it, if it is in it.
    pub(super) fn exit(&self, number: u64) {
        let left = ENTERED.try_with(|all| {
            let mut all = all.borrow_mut();
            let index = all.iter().rposition(|one| one.is_of(self) && one.number == number)?;
            Some(all.remove(index))
        });
        // Not while the list is borrowed: the subscriber may do anything.
        drop(left);
    }

    /// The innermost one that this thread is in, and where the library has its site.
    pub(super) fn current(&self) -> Option<(u64, usize)> {
        let find = |all: &RefCell<Vec<Entered>>| {
            let all = all.borrow();
            let found = all.iter().rfind(|one| one.is_of(self))?;
            Some((found.number, found.span.own_site))
        };
        ENTERED.try_with(find).ok().flatten()
    }

    pub(super) fn leave(&self) {
        // Relaxed: whoever is asked to come by, is asked behind it.
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Nobody holds any of them any more.
    pub(super) fn close(&self) {
        let left = std::mem::take(&mut *self.open.lock());
        drop(left);
    }
}

impl Entered {
    fn is_of(&self, spans: &Spans) -> bool {
        Arc::ptr_eq(&self.leaving, &spans.leaving)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        guarded((), || {
            self.dispatch.try_close(self.id.clone());
        });
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // Also when its thread ends, where a subscriber may find its own thread-locals gone.
        guarded((), || self.span.dispatch.exit(&self.span.id));
    }
}

/// This thread, which is in no callback, leaves the spans that plugins which leave have forgotten.
pub(crate) fn attend() {
    let take = |all: &RefCell<Vec<Entered>>| {
        let mut all = all.borrow_mut();
        // Relaxed: as above.
        all.extract_if(.., |one| one.leaving.load(Ordering::Relaxed)).collect::<Vec<_>>()
    };
    let left = ENTERED.try_with(take).unwrap_or_default();
    left.into_iter().rev().for_each(drop);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thread that forgot one may come by later than the library goes, and its successor's spans may lie
    /// where those of the first one were.
    #[test]
    fn a_span_that_was_forgotten_is_never_the_current_one_of_another_library() {
        let mut spans = Spans::default();
        let number = Spans::number();
        spans.add(number, Dispatch::none(), Id::from_u64(1), Site::of_lines(3), 0x5117e);
        spans.enter(number);
        assert_eq!(spans.current(), Some((number, 0x5117e)));
        spans.leave();
        spans.close();
        spans = Spans::default();
        assert_eq!(spans.current(), None);
        spans.exit(number);
        attend();
    }
}

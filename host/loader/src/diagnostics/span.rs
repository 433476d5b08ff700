//! Spans of plugins: their numbers, and the corresponding spans of the host's subscriber.

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

/// The open spans of one library.
#[derive(Debug, Default)]
pub(super) struct Spans {
    open: Mutex<HashMap<u64, Open>>,
    leaving: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Open {
    span: Arc<Span>,
    /// The number of references.
    holders: u64,
}

/// A span of the host's subscriber. It is closed when this is dropped, when it has no references and no thread is in
/// it.
#[derive(Debug)]
pub(super) struct Span {
    /// The subscriber that the span belongs to.
    pub(super) dispatch: Dispatch,
    pub(super) id: Id,
    pub(super) site: &'static Site,
    /// The address of the library's own site.
    own_site: usize,
}

/// A span that this thread is in, until this is dropped.
struct Entered {
    number: u64,
    span: Arc<Span>,
    /// The flag of the library's spans, which also identifies them: holding it here keeps its address from being
    /// reused.
    leaving: Arc<AtomicBool>,
}

thread_local! {
    /// The plugins' spans that this thread is in, innermost last.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

impl Spans {
    /// The number for a span that is about to be opened.
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

    /// Adds a reference.
    pub(super) fn hold(&self, number: u64) {
        if let Some(open) = self.open.lock().get_mut(&number) {
            open.holders += 1;
        }
    }

    /// Drops a reference; returns whether it was the last.
    pub(super) fn let_go(&self, number: u64) -> bool {
        let mut open = self.open.lock();
        let Some(found) = open.get_mut(&number) else { return false };
        found.holders -= 1;
        if found.holders > 0 {
            return false;
        }
        let last = open.remove(&number);
        // The subscriber may do anything, including opening a span.
        drop(open);
        last.is_some()
    }

    /// This thread enters the span.
    pub(super) fn enter(&self, number: u64) {
        let Some(span) = self.find(number) else { return };
        span.dispatch.enter(&span.id);
        let entered = Entered { number, span, leaving: self.leaving.clone() };
        // A thread whose list no longer exists leaves the span at once.
        let _ = ENTERED.try_with(|all| all.borrow_mut().push(entered));
    }

    /// This thread leaves the span, if it is in it.
    pub(super) fn exit(&self, number: u64) {
        let left = ENTERED.try_with(|all| {
            let mut all = all.borrow_mut();
            let index = all.iter().rposition(|one| one.is_of(self) && one.number == number)?;
            Some(all.remove(index))
        });
        // Not while the list is borrowed: the subscriber may do anything.
        drop(left);
    }

    /// The innermost span that this thread is in, and the address of the library's site.
    pub(super) fn current(&self) -> Option<(u64, usize)> {
        let find = |all: &RefCell<Vec<Entered>>| {
            let all = all.borrow();
            let found = all.iter().rfind(|one| one.is_of(self))?;
            Some((found.number, found.span.own_site))
        };
        ENTERED.try_with(find).ok().flatten()
    }

    pub(super) fn leave(&self) {
        // Relaxed: threads are asked to run their part only after this.
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Drops all references to all of them.
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
        // On thread exit too, when a subscriber may find its own thread-locals destroyed.
        guarded((), || self.span.dispatch.exit(&self.span.id));
    }
}

/// Leaves the spans of unloading plugins that this thread has entered and never left. The thread is in no callback.
pub(crate) fn attend() {
    let take = |all: &RefCell<Vec<Entered>>| {
        let mut all = all.borrow_mut();
        // Relaxed: only this thread runs its part, after the thread that asked for it has set this and woken it.
        all.extract_if(.., |one| one.leaving.load(Ordering::Relaxed)).collect::<Vec<_>>()
    };
    let left = ENTERED.try_with(take).unwrap_or_default();
    left.into_iter().rev().for_each(drop);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thread that never left a span may reach a quiescent point only after the library is unmapped, and the spans
    /// of the next generation may be at the addresses of the former ones.
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

//! What is known of one source, whichever endpoint runs for it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::counts::Count;
use crate::marks::Marks;
use crate::receipt::Tracker;
use crate::watched::Watched;

/// The way from one source.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(crate) marks: Arc<Marks>,
    tracker: Mutex<Arc<Tracker>>,
    pub(crate) sent: Arc<Count>,
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// Readable once it is closed, once the source has asked for it.
    watched: Option<Watched>,
}

impl Inlet {
    pub(crate) fn new(marks: Arc<Marks>) -> Self {
        let tracker = Mutex::new(Tracker::new(marks.clone()));
        Inlet { marks, tracker, sent: Arc::default(), state: Mutex::default(), closed: Condvar::new() }
    }

    /// For another endpoint of the same source: this one may not have returned, and stays closed.
    pub(crate) fn successor(&self) -> Self {
        let tracker = Mutex::new(self.tracker());
        let (marks, sent) = (self.marks.clone(), self.sent.clone());
        Inlet { marks, tracker, sent, state: Mutex::default(), closed: Condvar::new() }
    }

    /// What follows up on what the source sends now.
    pub(crate) fn tracker(&self) -> Arc<Tracker> {
        self.tracker.lock().clone()
    }

    /// Nothing of what was sent is under way any more: the source begins where everything is settled.
    pub(crate) fn begin_again(&self) {
        self.marks.begin_again();
        *self.tracker.lock() = Tracker::new(self.marks.clone());
    }

    /// Whether the source is to end.
    pub(crate) fn close(&self, is_closed: bool) {
        let mut state = self.state.lock();
        state.is_closed = is_closed;
        if is_closed {
            state.tell();
        } else {
            // Another endpoint begins, which asks for its own.
            state.watched = None;
        }
        self.closed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().is_closed
    }

    /// Waits until it is to end, or the time is over; returns whether it is.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.is_closed {
            if self.closed.wait_until(&mut state, deadline).timed_out() {
                return state.is_closed;
            }
        }
        true
    }

    /// A descriptor that is readable once it is to end.
    pub(crate) fn watch(&self) -> Option<OwnedFd> {
        let mut state = self.state.lock();
        if state.watched.is_none() {
            state.watched = Watched::new();
        }
        if state.is_closed {
            state.tell();
        }
        state.watched.as_ref()?.give()
    }
}

impl State {
    fn tell(&mut self) {
        if let Some(watched) = &mut self.watched {
            watched.tell(true);
        }
    }
}

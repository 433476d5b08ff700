//! What is known of one source, whichever endpoint runs for it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use rustix::event::{EventfdFlags, eventfd};

use crate::counts::Count;
use crate::marks::Marks;
use crate::receipt::Tracker;

/// The way from one source.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(crate) marks: Arc<Marks>,
    tracker: Mutex<Arc<Tracker>>,
    pub(crate) sent: Count,
    state: Mutex<State>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// Readable once it is closed, once the source has asked for it.
    watched: Option<OwnedFd>,
}

impl Inlet {
    pub(crate) fn new(marks: Arc<Marks>) -> Self {
        let tracker = Mutex::new(Tracker::new(marks.clone()));
        Inlet { marks, tracker, sent: Count::default(), state: Mutex::default(), closed: Condvar::new() }
    }

    /// What follows up on what the source sends now.
    pub(crate) fn tracker(&self) -> Arc<Tracker> {
        self.tracker.lock().clone()
    }

    /// Nothing of what was sent is under way any more: the source begins where everything is settled.
    pub(crate) fn begin_again(&self) {
        *self.tracker.lock() = Tracker::new(self.marks.clone());
        self.marks.begin_again();
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
            state.watched = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok();
        }
        if state.is_closed {
            state.tell();
        }
        state.watched.as_ref()?.try_clone().ok()
    }
}

impl State {
    fn tell(&self) {
        if let Some(watched) = &self.watched {
            let _ = rustix::io::write(watched, &1_u64.to_ne_bytes());
        }
    }
}

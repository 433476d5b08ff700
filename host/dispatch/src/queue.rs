//! A queue with one reader: a thread that waits, or a task of any executor.

use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hookrail_model::guarded;
use parking_lot::Mutex;

use crate::condvar::{Condvar, deadline_after};

/// Items on their way to one reader. A writer never waits: what a full queue is given is dropped and counted.
pub struct Queue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    dropped: u64,
    is_closed: bool,
    /// That of the last poll that found nothing, until it is woken.
    waker: Option<Waker>,
}

/// The task to wake, if one waits. Waking runs code of its executor, so the caller first releases its locks.
#[must_use]
pub struct Wake(Option<Waker>);

impl Wake {
    /// Wakes the task. A panic of its executor is not passed on: the caller may be a dispatch.
    pub fn wake(self) {
        if let Some(waker) = self.0 {
            guarded((), || waker.wake());
        }
    }
}

impl<T> Queue<T> {
    /// Without items, and with room for `capacity` of them.
    pub fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), dropped: 0, is_closed: false, waker: None };
        Queue { capacity, state: Mutex::new(state), changed: Condvar::default() }
    }

    /// Adds an item, or drops and counts it if the queue is full.
    pub fn push(&self, item: T) -> Wake {
        let mut state = self.state.lock();
        if state.items.len() >= self.capacity {
            state.dropped += 1;
            return Wake(None);
        }
        state.items.push_back(item);
        self.changed.notify_all();
        Wake(state.waker.take())
    }

    /// Nothing is added from now on; what is in the queue can still be received.
    pub fn close(&self) -> Wake {
        let mut state = self.state.lock();
        state.is_closed = true;
        self.changed.notify_all();
        Wake(state.waker.take())
    }

    /// How many items were dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.state.lock().dropped
    }

    /// The next item, if there is one.
    ///
    /// # Errors
    /// If there is none now, or there will be none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.state.lock().next()
    }

    /// The next item; waits for it.
    ///
    /// # Errors
    /// If there will be none.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.wait(None).map_err(|_| RecvError)
    }

    /// The next item; waits for it for at most `timeout`.
    ///
    /// # Errors
    /// If there was none in time, or there will be none.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.wait(Some(deadline_after(timeout))).map_err(|none| match none {
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            TryRecvError::Empty => RecvTimeoutError::Timeout,
        })
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<T, TryRecvError> {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| state.items.is_empty() && !state.is_closed, deadline);
        state.next()
    }

    /// The next item. If there is none yet, the task of `context` is woken when there is one, or will never be one, and
    /// a task that polled before is not.
    ///
    /// # Errors
    /// If there will be none.
    pub fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        // Cloned before the lock is taken, and what is left over is dropped after it is released: both run code of the
        // executor.
        let mut waker = Some(context.waker().clone());
        let mut state = self.state.lock();
        let polled = match state.next() {
            Ok(item) => Poll::Ready(Ok(item)),
            Err(TryRecvError::Disconnected) => Poll::Ready(Err(RecvError)),
            Err(TryRecvError::Empty) => {
                std::mem::swap(&mut state.waker, &mut waker);
                Poll::Pending
            }
        };
        drop(state);
        drop(waker);
        polled
    }
}

impl<T> State<T> {
    fn next(&mut self) -> Result<T, TryRecvError> {
        let none = if self.is_closed { TryRecvError::Disconnected } else { TryRecvError::Empty };
        self.items.pop_front().ok_or(none)
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { items, dropped, is_closed, .. } = &*self.state.lock();
        f.debug_struct("Queue")
            .field("waiting", &items.len())
            .field("dropped", dropped)
            .field("is_closed", is_closed)
            .finish_non_exhaustive()
    }
}

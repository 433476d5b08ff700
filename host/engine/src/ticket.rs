//! What goes on in the background, for callers that want to know when it is over.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hookrail_dispatch::{Condvar, deadline_after, reclaim};
use hookrail_loader::attend;
use hookrail_model::end::End;
use hookrail_model::guarded;
use hookrail_model::memory::Memory;
use parking_lot::{Mutex, MutexGuard};

/// An operation that goes on in the background: an unload, whose result is an [`End`], or a stop, whose result is a
/// [`Status`](hookrail_model::view::Status). The plugin's callbacks are no longer in any chain. It completes even if
/// the ticket is dropped.
///
/// A thread waits for it ([`wait`](Ticket::wait), [`wait_timeout`](Ticket::wait_timeout)) or looks
/// ([`try_wait`](Ticket::try_wait)), and a task of any executor awaits the ticket itself: the thread that ends the
/// operation wakes it. Within a callback or under a pin none of them waits, since it would wait for its own caller:
/// they return the state so far.
///
/// Whoever waits or polls also runs the destructors that its thread has left of plugins that are being unloaded.
#[derive(Debug)]
pub struct Ticket<T = End> {
    shared: Arc<Shared<T>>,
    /// The key of its waker, once it was polled.
    polled: Option<u64>,
}

#[derive(Debug)]
struct Shared<T> {
    plugin: String,
    state: Mutex<State<T>>,
    changed: Condvar,
    /// What an unload lost, once it is over.
    losses: OnceLock<Losses>,
}

#[derive(Debug)]
struct State<T> {
    so_far: T,
    is_over: bool,
    /// The tasks that wait, by the key of the ticket that they poll.
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

#[derive(Debug)]
struct Losses {
    skipped: usize,
    unfreed_memory: Option<Memory>,
}

impl<T: Clone> Ticket<T> {
    /// An operation on a plugin begins.
    pub(crate) fn begin(plugin: String, so_far: T) -> Self {
        let state = Mutex::new(State { so_far, is_over: false, wakers: BTreeMap::new(), next: 0 });
        let shared = Shared { plugin, state, changed: Condvar::default(), losses: OnceLock::new() };
        Ticket { shared: Arc::new(shared), polled: None }
    }

    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.shared.plugin
    }

    /// The result, if it is over.
    pub fn try_wait(&self) -> Option<T> {
        let state = self.shared.state.lock();
        state.is_over.then(|| state.so_far.clone())
    }

    /// Waits until it is over. That may be never: a plugin may leave a thread that never ends.
    pub fn wait(&self) -> T {
        self.wait_until(None)
    }

    /// Waits until it is over, for at most `timeout`; then returns the state so far.
    pub fn wait_timeout(&self, timeout: Duration) -> T {
        self.wait_until(Some(deadline_after(timeout)))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> T {
        const PAUSE: Duration = Duration::from_millis(5);
        if reclaim::is_inside() {
            return self.so_far();
        }
        let mut state = self.shared.state.lock();
        loop {
            MutexGuard::unlocked(&mut state, attend);
            let now = Instant::now();
            if state.is_over || deadline.is_some_and(|deadline| now >= deadline) {
                return state.so_far.clone();
            }
            // Another plugin that begins to unload does not wake this thread.
            let look = now + PAUSE;
            self.shared.changed.wait(&mut state, Some(deadline.map_or(look, |deadline| deadline.min(look))));
        }
    }

    /// The state so far.
    pub(crate) fn so_far(&self) -> T {
        self.shared.state.lock().so_far.clone()
    }

    pub(crate) fn set(&self, so_far: T) {
        self.shared.state.lock().so_far = so_far;
        self.shared.changed.notify_all();
    }

    /// It is over, with that result.
    pub(crate) fn end(&self, result: T) {
        let mut state = self.shared.state.lock();
        (state.so_far, state.is_over) = (result, true);
        self.wake(state);
    }

    /// Tells threads to run the destructors that they have left of the plugin; waiting threads do so at once, and tasks
    /// when they poll.
    pub(crate) fn leaving(&self) {
        self.wake(self.shared.state.lock());
    }

    /// Wakes who waits. Not under the lock, since wakers are code of an executor.
    fn wake(&self, mut state: MutexGuard<'_, State<T>>) {
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.shared.changed.notify_all();
        // A panic of an executor must not end the thread that ends plugins.
        wakers.into_values().for_each(|waker| guarded((), || waker.wake()));
    }
}

impl Ticket<End> {
    /// How many destructors of thread-locals were never run, since their threads did not reach a quiescent point before
    /// the deadline. The memory that they would have freed is lost.
    pub fn skipped_destructors(&self) -> usize {
        self.shared.losses.get().map_or(0, |losses| losses.skipped)
    }

    /// The memory that the plugin still held when none of its code ran any more, once the unload has ended: what its
    /// statics hold, and what it leaked. `None` if it does not count its memory.
    pub fn unfreed_memory(&self) -> Option<Memory> {
        self.shared.losses.get()?.unfreed_memory
    }

    /// Records what is lost, before the end.
    pub(crate) fn lose(&self, skipped: usize, unfreed_memory: Option<Memory>) {
        let _ = self.shared.losses.set(Losses { skipped, unfreed_memory });
    }
}

/// A ticket for the same operation, which is awaited by itself.
impl<T> Clone for Ticket<T> {
    fn clone(&self) -> Self {
        Ticket { shared: self.shared.clone(), polled: None }
    }
}

impl<T: Clone> Future for Ticket<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if reclaim::is_inside() {
            return Poll::Ready(self.so_far());
        }
        // Registered before the thread attends: whoever begins to leave later wakes the task.
        let waker = context.waker().clone();
        let ticket = &mut *self;
        let mut state = ticket.shared.state.lock();
        let key = *ticket.polled.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        let former = state.wakers.insert(key, waker);
        drop(state);
        drop(former);
        attend();
        ticket.try_wait().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if let Some(key) = self.polled {
            let waker = self.shared.state.lock().wakers.remove(&key);
            drop(waker);
        }
    }
}

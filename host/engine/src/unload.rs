//! Unloading: unpublished at once, completed by the reaper when the readers have left.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use hookrail_dispatch::reclaim::{self, Grace};
use hookrail_dispatch::{Callback, Condvar, Owner, Registry, deadline_after};
use hookrail_loader::{Closed, attend};
use hookrail_model::end::End;
use hookrail_model::log;
use hookrail_model::memory::Memory;
use once_cell::sync::OnceCell;
use parking_lot::{Mutex, MutexGuard};

use crate::plugin::{Lifecycle, Loaded};

/// An unload in progress: the plugin's callbacks are no longer in any chain. It completes even if the ticket is
/// dropped.
#[derive(Clone, Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    plugin: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    end: End,
    skipped: usize,
    left: Option<Memory>,
    over: bool,
}

impl Ticket {
    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        &self.shared.plugin
    }

    /// How it ended, once it has ended.
    pub fn end(&self) -> Option<End> {
        let state = self.shared.state.lock();
        state.over.then(|| state.end.clone())
    }

    /// How many destructors of thread-locals were never run, since their threads did not reach a quiescent point before
    /// the deadline. The memory that they would have freed is lost.
    pub fn skipped(&self) -> usize {
        self.shared.state.lock().skipped
    }

    /// The memory that the plugin still held when none of its code ran any more, once the unload has ended: what its
    /// statics hold, and what it leaked. `None` if it does not count its memory.
    pub fn left(&self) -> Option<Memory> {
        self.shared.state.lock().left
    }

    /// Waits until the unload has ended, for at most `timeout`; then returns how far it is, and the unload continues in
    /// the background. Called from within a callback or under a pin it does not wait, since it would wait for its own
    /// caller.
    ///
    /// While it waits, it runs the destructors that this thread has left of this plugin, and of others that are being
    /// unloaded.
    pub fn wait(&self, timeout: Duration) -> End {
        const PAUSE: Duration = Duration::from_millis(5);
        if reclaim::is_inside() {
            return self.shared.state.lock().end.clone();
        }
        let deadline = deadline_after(timeout);
        let mut state = self.shared.state.lock();
        loop {
            MutexGuard::unlocked(&mut state, attend);
            let now = Instant::now();
            if state.over || now >= deadline {
                return state.end.clone();
            }
            // Another plugin that begins to unload does not wake this thread.
            self.shared.changed.wait(&mut state, Some(deadline.min(now + PAUSE)));
        }
    }

    /// How far the unload is.
    pub(crate) fn so_far(&self) -> End {
        self.shared.state.lock().end.clone()
    }

    fn set(&self, end: End) {
        self.shared.state.lock().end = end;
        self.shared.changed.notify_all();
    }

    /// Tells threads to run the destructors that they have left of the plugin; waiting threads do so at once.
    fn leaving(&self) {
        self.shared.changed.notify_all();
    }

    fn over(&self, closed: Closed) {
        let Closed { end, skipped, left } = closed;
        *self.shared.state.lock() = State { end, skipped, left, over: true };
        self.shared.changed.notify_all();
    }
}

/// The thread that waits for the readers of all unloads, so that no caller has to. It starts with the first unload.
#[derive(Default)]
pub(crate) struct Reaper {
    jobs: OnceCell<Sender<Unloading>>,
}

/// A plugin whose callbacks were just removed from their chains.
pub(crate) struct Unpublished {
    pub(crate) plugin: String,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) owner: Owner,
    pub(crate) callbacks: Vec<Arc<Callback>>,
}

/// Inspects a plugin before it ends.
pub(crate) type Before = Box<dyn FnOnce(&Loaded) + Send>;

/// What follows when no thread is in the plugin's code any more. All of it runs on its own thread.
pub(crate) enum Then {
    /// The plugin ends: its instances are stopped and destroyed, and its library is closed.
    End {
        /// Inspects the plugin before that.
        before: Option<Before>,
        /// Called with how it ended.
        after: Box<dyn FnOnce(&Closed) + Send>,
    },
    /// Another action; the ticket never ends.
    Run(Box<dyn FnOnce() + Send>),
}

impl Reaper {
    /// Hands the work that follows an unpublishing to the reaper. Does not wait.
    pub(crate) fn follow(
        &self,
        unpublished: Unpublished,
        registry: Arc<Registry>,
        timeout: Duration,
        then: Then,
    ) -> Ticket {
        let Unpublished { plugin, lifecycle, owner, callbacks } = unpublished;
        // After the unpublishing: threads that enter from now on find none of the callbacks.
        let grace = reclaim::begin();
        let state = Mutex::new(State { end: End::Busy(grace.readers()), skipped: 0, left: None, over: false });
        let ticket = Ticket { shared: Arc::new(Shared { plugin, state, changed: Condvar::default() }) };
        let deadline = deadline_after(timeout);
        let unloading = Unloading {
            lifecycle,
            owner,
            callbacks,
            registry,
            grace,
            deadline,
            timeout,
            disarmed: None,
            then,
            ticket: ticket.clone(),
        };
        let jobs = self.jobs.get_or_init(|| {
            let (jobs, incoming) = channel();
            let spawned = std::thread::Builder::new().name("hookrail-reaper".into()).spawn(move || reap(&incoming));
            spawned.expect("a process that cannot start a thread cannot go on");
            jobs
        });
        jobs.send(unloading).expect("the reaper lives as long as its sender");
        ticket
    }
}

/// The remaining work of an unload.
struct Unloading {
    lifecycle: Lifecycle,
    owner: Owner,
    callbacks: Vec<Arc<Callback>>,
    registry: Arc<Registry>,
    grace: Grace<'static>,
    /// When to stop waiting for readers outside this plugin.
    deadline: Instant,
    /// How long to wait for what threads have left of the plugin, once there are no readers.
    timeout: Duration,
    /// The entries that frames hold while they call one of its callbacks from a retired snapshot, once the code there
    /// was overwritten; kept as addresses, since they are only compared.
    disarmed: Option<Vec<usize>>,
    then: Then,
    ticket: Ticket,
}

impl Unloading {
    /// Whether no thread is in the plugin's code or will enter it.
    ///
    /// Past its deadline it no longer waits for readers that are busy elsewhere: the plugin's code is overwritten in
    /// the snapshots that they may still walk, and only frames in it count.
    fn is_ready(&mut self) -> bool {
        if self.grace.is_over() {
            return true;
        }
        if Instant::now() < self.deadline {
            return false;
        }
        // A pin must not see half of the chains unchanged and half of them as no-ops.
        let pinned = self.grace.readers_in(|_| false);
        if pinned > 0 {
            self.ticket.set(End::Busy(pinned));
            return false;
        }
        let disarmed = self
            .disarmed
            .get_or_insert_with(|| self.registry.disarm(self.owner).into_iter().map(<*mut ()>::addr).collect());
        let readers = self.grace.readers_in(|at| disarmed.contains(&at.addr()));
        if readers > 0 {
            self.ticket.set(End::Busy(readers));
        }
        readers == 0
    }

    /// Ends the plugin on a thread of its own: the plugin's code there may take long or never return, and its
    /// thread-locals on that thread are shared with no other plugin.
    ///
    /// A thread that cannot be started now is tried again: if the reaper ended, no unload would complete.
    fn finish(self) {
        const PAUSE: Duration = Duration::from_millis(5);
        self.registry.collect();
        let unloading = Arc::new(Mutex::new(Some(self)));
        let start = || {
            let unloading = unloading.clone();
            let end = move || {
                let taken = unloading.lock().take();
                taken.expect("one thread is started").end();
            };
            std::thread::Builder::new().name("hookrail-unload".into()).spawn(end)
        };
        while start().is_err() {
            std::thread::sleep(PAUSE);
        }
    }

    fn end(self) {
        self.callbacks.iter().for_each(|callback| callback.ctx.release());
        drop(self.callbacks);
        let (before, after) = match self.then {
            Then::End { before, after } => (before, after),
            Then::Run(run) => return run(),
        };
        let loaded = self.lifecycle.lock().take().expect("a plugin is unloaded once");
        if let Some(before) = before {
            before(&loaded);
        }
        // Before the instances stop: they may wait for a thread that ends only when another thread has released
        // something.
        loaded.leave();
        self.ticket.leaving();
        let deadline = deadline_after(self.timeout);
        let closed = loaded.end(deadline, |end| {
            if self.ticket.so_far() != end {
                log!(warn, plugin = self.ticket.plugin(), "{end}; when that is over it is closed");
            }
            self.ticket.set(end);
            true
        });
        self.registry.finish_drain();
        closed.tell_losses(self.ticket.plugin());
        log!(debug, plugin = self.ticket.plugin(), "unloaded: {}", closed.end);
        after(&closed);
        self.ticket.over(closed);
    }
}

fn reap(incoming: &Receiver<Unloading>) {
    const SHORTEST: Duration = Duration::from_micros(20);
    const LONGEST: Duration = Duration::from_millis(5);
    let mut waiting: Vec<Unloading> = Vec::new();
    let mut pause = SHORTEST;
    loop {
        let next = if waiting.is_empty() {
            incoming.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            incoming.recv_timeout(pause)
        };
        match next {
            Ok(unloading) => {
                waiting.push(unloading);
                pause = SHORTEST;
            }
            // A callback either returns within microseconds or takes long.
            Err(RecvTimeoutError::Timeout) => pause = (pause * 2).min(LONGEST),
            Err(RecvTimeoutError::Disconnected) if waiting.is_empty() => return,
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LONGEST),
        }
        for index in (0..waiting.len()).rev() {
            if waiting[index].is_ready() {
                waiting.swap_remove(index).finish();
            }
        }
    }
}

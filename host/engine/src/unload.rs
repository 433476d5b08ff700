//! Unloading: unpublished at once, finished by the reaper when the readers have left.

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

/// An unloading that has begun: the plugin's callbacks are in no chain any more. It finishes even
/// when the ticket is dropped.
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

    /// How it ended, once it has.
    pub fn end(&self) -> Option<End> {
        let state = self.shared.state.lock();
        state.over.then(|| state.end.clone())
    }

    /// How many destructors of thread-locals were never run, since their threads did not come by
    /// before the deadline: so much of the plugin's memory is lost.
    pub fn skipped(&self) -> usize {
        self.shared.state.lock().skipped
    }

    /// What it held of memory when nothing of it ran any more, once it has ended: what its statics hold,
    /// and what it leaked. `None` when it does not count that.
    pub fn left(&self) -> Option<Memory> {
        self.shared.state.lock().left
    }

    /// Waits until it has ended, but no longer than `timeout`: then the answer is how far it is, and
    /// it goes on in the background. Called from within a callback or under a pin it does not wait:
    /// it would wait for its own caller.
    ///
    /// While it waits it runs what this thread has left of this plugin, and of others that leave.
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
            // Another plugin that begins to leave does not wake us.
            self.shared.changed.wait(&mut state, Some(deadline.min(now + PAUSE)));
        }
    }

    /// How far it is.
    pub(crate) fn so_far(&self) -> End {
        self.shared.state.lock().end.clone()
    }

    fn set(&self, end: End) {
        self.shared.state.lock().end = end;
        self.shared.changed.notify_all();
    }

    /// Threads are to run what they have left of the plugin: those that wait do so now.
    fn leaving(&self) {
        self.shared.changed.notify_all();
    }

    fn over(&self, closed: Closed) {
        let Closed { end, skipped, left } = closed;
        *self.shared.state.lock() = State { end, skipped, left, over: true };
        self.shared.changed.notify_all();
    }
}

/// The thread that waits for the readers of all unloadings, so that nobody else has to. It starts
/// with the first unloading.
#[derive(Default)]
pub(crate) struct Reaper {
    jobs: OnceCell<Sender<Unloading>>,
}

/// A plugin whose callbacks were just taken out of their chains.
pub(crate) struct Unpublished {
    pub(crate) plugin: String,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) owner: Owner,
    pub(crate) callbacks: Vec<Arc<Callback>>,
}

/// Looks at a plugin before it ends.
pub(crate) type Before = Box<dyn FnOnce(&Loaded) + Send>;

/// What follows when nobody is in the plugin's code any more. All of it runs on a thread of its own.
pub(crate) enum Then {
    /// The plugin ends: its instances are stopped and destroyed, its library closed.
    End {
        /// Looks at the plugin before that.
        before: Option<Before>,
        /// Is told how it ended.
        after: Box<dyn FnOnce(&Closed) + Send>,
    },
    /// Something else; the ticket never ends.
    Run(Box<dyn FnOnce() + Send>),
}

impl Reaper {
    /// Leaves what follows an unpublishing to the reaper. Does not wait.
    pub(crate) fn follow(
        &self,
        unpublished: Unpublished,
        registry: Arc<Registry>,
        timeout: Duration,
        then: Then,
    ) -> Ticket {
        let Unpublished { plugin, lifecycle, owner, callbacks } = unpublished;
        // After the unpublishing: whoever enters from now on finds none of them.
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

/// What is left to do of an unloading.
struct Unloading {
    lifecycle: Lifecycle,
    owner: Owner,
    callbacks: Vec<Arc<Callback>>,
    registry: Arc<Registry>,
    grace: Grace<'static>,
    /// When to stop waiting for readers that are not in this plugin.
    deadline: Instant,
    /// How long to wait for what threads have left of the plugin, once there are no readers.
    timeout: Duration,
    /// What frames hold while one of its callbacks is called from a retired snapshot, once their
    /// code was overwritten; as addresses, since they are only compared.
    disarmed: Option<Vec<usize>>,
    then: Then,
    ticket: Ticket,
}

impl Unloading {
    /// Whether nobody is in the plugin's code or will be.
    ///
    /// Past its deadline a reader that is busy elsewhere is not waited for any longer: the plugin's
    /// code is overwritten in the snapshots it may still walk, and only frames in it count.
    fn is_ready(&mut self) -> bool {
        if self.grace.is_over() {
            return true;
        }
        if Instant::now() < self.deadline {
            return false;
        }
        // A pin must not see half of the old chains and half no-ops.
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

    /// Ends the plugin, on a thread of its own: what it does there takes its time, or never returns,
    /// and its thread-locals on that thread are nobody else's.
    ///
    /// A thread that cannot be started now is tried again: if the reaper ended, so would every unloading.
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
        // Before the instances stop: they may wait for a thread that ends only when another thread has
        // let go of something.
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
            // A callback is over in microseconds, or takes its time.
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

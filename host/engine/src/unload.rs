//! Unloading: unpublished at once, completed by the reaper when the readers have left.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use hookrail_dispatch::reclaim::{self, Grace};
use hookrail_dispatch::{Callback, Owner, Registry, deadline_after};
use hookrail_loader::Closed;
use hookrail_model::end::End;
use hookrail_model::error::Error;
use hookrail_model::log;
use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use crate::endpoints::Endpoints;
use crate::plugin::{Lifecycle, Loaded};
use crate::ticket::Ticket;

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
    /// Its endpoints, which are leaving.
    pub(crate) endpoints: Option<Arc<Endpoints>>,
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
    /// Another action; the reaper's ticket never ends.
    Run(Box<dyn FnOnce() + Send>),
}

impl Reaper {
    /// Starts its thread, unless it runs. Asked for before anything is unpublished, which cannot be undone.
    ///
    /// # Errors
    /// If the system starts no thread now.
    pub(crate) fn ready(&self) -> Result<Ready<'_>, Error> {
        let start = || {
            let (jobs, incoming) = channel();
            std::thread::Builder::new().name("hookrail-reaper".into()).spawn(move || reap(&incoming))?;
            Ok(jobs)
        };
        let jobs = self.jobs.get_or_try_init(start);
        jobs.map(Ready).map_err(|source| Error::system("start the thread that finishes unloadings", source))
    }
}

/// A reaper that runs.
pub(crate) struct Ready<'a>(&'a Sender<Unloading>);

impl Ready<'_> {
    /// Hands the work that follows an unpublishing to the reaper. Does not wait.
    pub(crate) fn follow(
        &self,
        unpublished: Unpublished,
        registry: Arc<Registry>,
        timeout: Duration,
        then: Then,
    ) -> Ticket {
        let Unpublished { plugin, lifecycle, owner, callbacks, endpoints } = unpublished;
        // After the unpublishing: threads that enter from now on find none of the callbacks.
        let grace = reclaim::begin();
        let ticket = Ticket::begin(plugin, End::Busy(grace.readers()));
        let deadline = deadline_after(timeout);
        let unloading = Unloading {
            lifecycle,
            owner,
            callbacks,
            endpoints,
            registry,
            grace,
            deadline,
            timeout,
            disarmed: None,
            then,
            ticket: ticket.clone(),
        };
        self.0.send(unloading).expect("the reaper lives as long as its sender");
        ticket
    }
}

/// The remaining work of an unload.
struct Unloading {
    lifecycle: Lifecycle,
    owner: Owner,
    callbacks: Vec<Arc<Callback>>,
    endpoints: Option<Arc<Endpoints>>,
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
    /// Whether no thread is in the plugin's code or will enter it: neither in an endpoint, for which there is no deadline,
    /// nor in a callback.
    ///
    /// Past its deadline it no longer waits for readers that are busy elsewhere: the plugin's code is overwritten in
    /// the snapshots that they may still walk, and only frames in it count.
    fn is_ready(&mut self) -> bool {
        let running = self.endpoints.as_ref().map_or(0, |endpoints| endpoints.uses());
        if running > 0 {
            self.ticket.set(End::Busy(running));
            return false;
        }
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
        let unloading = Arc::new(Mutex::new(Some(self)));
        let start = || {
            let unloading = unloading.clone();
            let end = move || {
                let taken = unloading.lock().take();
                taken.expect("one thread is started").end();
            };
            reclaim::spawn("hookrail-unload", end)
        };
        while start().is_err() {
            std::thread::sleep(PAUSE);
        }
    }

    fn end(self) {
        let registry = self.registry.clone();
        self.end_plugin();
        // Last, and on this thread: what is dropped may be the program's own, take long, and drop or unload anything.
        registry.collect();
    }

    fn end_plugin(self) {
        self.callbacks.iter().for_each(|callback| callback.ctx.release());
        drop(self.callbacks);
        let (before, after) = match self.then {
            Then::End { before, after } => (before, after),
            Then::Run(run) => return run(),
        };
        let loaded = self.lifecycle.lock().take().expect("a plugin is unloaded once");
        loaded.drain(self.deadline);
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
        self.ticket.lose(closed.skipped, closed.unfreed_memory);
        self.ticket.end(closed.end);
    }
}

fn reap(incoming: &Receiver<Unloading>) {
    const SHORTEST: Duration = Duration::from_micros(20);
    const LONGEST: Duration = Duration::from_millis(5);
    // It frees contexts of callbacks.
    reclaim::register_thread();
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

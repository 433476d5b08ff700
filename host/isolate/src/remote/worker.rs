//! A worker, which outlives its processes: when one ends, another one is started.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use hookrail_dispatch::Condvar;
use hookrail_engine::{Crashes, WorkerStatus, sweep_instance};
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::isolation::{WorkerLimits, WorkerState, WorkerView};
use hookrail_model::log;
use hookrail_supervise::{Backoff, Next, Supervisor};
use parking_lot::Mutex;

use super::aftermath::Due;
use super::crash::Opened;
use super::live::Live;
use super::reports::Reports;
use super::standing::Standing;
use crate::wire::PluginId;

/// A plugin in a worker, as the worker knows it.
pub(super) trait Member: Send + Sync {
    /// What is remembered of it where it is opened.
    fn opened(&self) -> Opened;

    /// Its name.
    fn name(&self) -> &str;

    /// Its number.
    fn number(&self) -> PluginId;

    /// Whether an instance of it is started.
    fn serves(&self) -> bool;

    /// Brings it to where it was, in another process.
    fn replay(&self, live: &Live) -> Result<(), Error>;
}

/// A worker.
pub(crate) struct Worker {
    pub(super) name: String,
    pub(super) limits: WorkerLimits,
    /// The plugin that these are configured for, which is the first of those that share it.
    configured: String,
    supervisor: Supervisor,
    /// What stands in chains for callbacks that it runs.
    pub(super) standing: Standing,
    /// How many notifications were not queued.
    dropped: AtomicU64,
    reports: Arc<Reports>,
    /// The own directories of all instances that its processes ran.
    homes: Mutex<BTreeSet<PathBuf>>,
    state: Mutex<State>,
    /// Signalled when the state changes.
    changed: Condvar,
}

struct State {
    now: Now,
    plugins: Vec<Weak<dyn Member>>,
    backoff: Backoff,
    /// Since when its process serves.
    since: Instant,
    /// How often another process was started.
    restarts: u64,
    /// How the last process ended that served.
    last_end: Option<String>,
}

/// What it is doing.
enum Now {
    /// No process runs: no plugin is there, or none that serves.
    Idle,
    /// Its process runs.
    Runs(Arc<Live>),
    /// Its process has ended, and another one is being started.
    Restarts,
    /// It has died too often; how it ended last.
    Failed(String),
}

impl WorkerStatus for Worker {
    fn view(&self) -> WorkerView {
        let state = self.state.lock();
        let (doing, pid) = match &state.now {
            Now::Idle => (WorkerState::Stopped, None),
            Now::Runs(live) if live.is_dead() => (WorkerState::Restarting, None),
            Now::Runs(live) => (WorkerState::Running, live.pid()),
            Now::Restarts => (WorkerState::Restarting, None),
            Now::Failed(_) => (WorkerState::Failed, None),
        };
        let mut view = WorkerView::new(&*self.name, doing);
        (view.pid, view.restarts) = (pid, state.restarts);
        if let Now::Runs(live) = &state.now {
            view.limits = live.held().to_vec();
        }
        view.last_end = state.last_end.clone();
        view.dropped = self.dropped.load(Ordering::Relaxed);
        view
    }
}

impl Worker {
    pub(crate) fn new(
        name: String,
        configured: String,
        home: &Path,
        limits: WorkerLimits,
        supervisor: Supervisor,
    ) -> Arc<Self> {
        let backoff = Backoff::new(limits.restarts);
        let reports = Arc::new(Reports::new(name.clone(), Crashes::of(home)));
        let (now, since) = (Now::Idle, Instant::now());
        let state = State { now, plugins: Vec::new(), backoff, since, restarts: 0, last_end: None };
        Arc::new(Worker {
            name,
            limits,
            configured,
            supervisor,
            standing: Standing::default(),
            dropped: AtomicU64::new(0),
            reports,
            homes: Mutex::default(),
            state: Mutex::new(state),
            changed: Condvar::default(),
        })
    }

    /// The process for a plugin that is being loaded, which is started if none runs; the plugin is brought back when
    /// it ends.
    pub(super) fn enter(self: &Arc<Self>, plugin: Arc<dyn Member>) -> Result<Arc<Live>, Error> {
        let deadline = Instant::now() + self.limits.patience;
        loop {
            self.wake(plugin.name(), "attach", deadline)?;
            let mut state = self.state.lock();
            if let Now::Runs(live) = &state.now
                && !live.is_over()
            {
                let live = live.clone();
                live.crash.lock().opened.push(plugin.opened());
                state.plugins.push(Arc::downgrade(&plugin));
                return Ok(live);
            }
            // It has ended already, or the last of its plugins has left: once more.
            if Instant::now() >= deadline {
                return Err(late(plugin.name(), "attach"));
            }
        }
    }

    /// Sees to it that a process runs, with all plugins as they were: also one of which no plugin serves, or that was
    /// given up. It is for a plugin, which is about to be called.
    pub(super) fn wake(self: &Arc<Self>, plugin: &str, call: &'static str, deadline: Instant) -> Result<(), Error> {
        let mut state = self.state.lock();
        // What has just ended, is about to, or is being started, is the business of the thread that sees to that.
        let is_between = |state: &mut State| match &state.now {
            Now::Runs(live) => live.is_over(),
            Now::Restarts => true,
            Now::Idle | Now::Failed(_) => false,
        };
        self.changed.wait_while(&mut state, is_between, Some(deadline));
        match &state.now {
            Now::Runs(live) if !live.is_over() => Ok(()),
            Now::Runs(_) | Now::Restarts => Err(late(plugin, call)),
            Now::Idle | Now::Failed(_) => {
                state.now = Now::Restarts;
                state.backoff = Backoff::new(self.limits.restarts);
                drop(state);
                self.bring_back().inspect_err(|error| {
                    let mut state = self.state.lock();
                    let how = format!("could not be brought back: {error}");
                    state.now = if state.plugins.is_empty() { Now::Idle } else { Now::Failed(how) };
                    self.changed.notify_all();
                })
            }
        }
    }

    /// The process serves from now on.
    fn set_running(self: &Arc<Self>, state: &mut State, live: &Arc<Live>) {
        state.now = Now::Runs(live.clone());
        state.since = Instant::now();
        self.changed.notify_all();
        // What ended before it was the one that serves was not noticed.
        if live.is_dead() {
            self.clone().ended(live.clone(), self.reports.aftermath.begin());
        }
    }

    /// The plugin needs it no more. Without any plugin its process ends.
    pub(super) fn exit(&self, plugin: PluginId) {
        let mut state = self.state.lock();
        state.plugins.retain(|known| known.upgrade().is_some_and(|known| known.number() != plugin));
        drop(state);
        self.end_if_idle();
        // The program may end next.
        self.reports.aftermath.wait();
    }

    /// Without any plugin, its process ends.
    fn end_if_idle(&self) {
        let mut state = self.state.lock();
        state.plugins.retain(|known| known.strong_count() > 0);
        // What is being started finds out by itself.
        if state.plugins.is_empty() && !matches!(state.now, Now::Restarts) {
            let before = std::mem::replace(&mut state.now, Now::Idle);
            self.changed.notify_all();
            drop(state);
            if let Now::Runs(live) = before {
                live.kill();
                live.how_it_ended();
                live.hear_out();
            }
        }
    }

    /// The plugins that need it.
    fn members(&self) -> Vec<Arc<dyn Member>> {
        self.state.lock().plugins.iter().filter_map(Weak::upgrade).collect()
    }

    /// The running process, if there is one now.
    pub(super) fn now(&self) -> Option<Arc<Live>> {
        match &self.state.lock().now {
            Now::Runs(live) if !live.is_dead() => Some(live.clone()),
            _ => None,
        }
    }

    /// The running process; waits until there is one again. On failure says why there is none.
    pub(super) fn live(&self, deadline: Instant) -> Result<Arc<Live>, String> {
        let mut state = self.state.lock();
        let waits = |state: &mut State| match &state.now {
            Now::Runs(live) => live.is_dead(),
            Now::Restarts => true,
            Now::Idle | Now::Failed(_) => false,
        };
        self.changed.wait_while(&mut state, waits, Some(deadline));
        match &state.now {
            Now::Runs(live) if !live.is_dead() => Ok(live.clone()),
            Now::Failed(how) => Err(given_up(how)),
            Now::Idle => Err("its worker does not run".into()),
            _ => Err("its worker was not back in time".into()),
        }
    }

    /// How its last process ended, if it has been given up.
    pub(super) fn given_up(&self) -> Option<String> {
        match &self.state.lock().now {
            Now::Failed(how) => Some(how.clone()),
            _ => None,
        }
    }

    /// A notification was not queued.
    pub(super) fn dropped(&self) {
        // Relaxed: a count.
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// It is about to run an instance whose own directory that is.
    pub(super) fn runs_in(&self, home: PathBuf) {
        self.homes.lock().insert(home);
    }

    /// A call has been answered: a process that ends after that is started again at once.
    pub(super) fn progress(&self) {
        self.state.lock().backoff.progress();
    }

    /// Starts a process.
    fn start(self: &Arc<Self>) -> Result<Arc<Live>, Error> {
        let weak = Arc::downgrade(self);
        Live::start(
            &self.supervisor,
            &self.name,
            &self.configured,
            &self.limits,
            self.reports.clone(),
            move |ended, due| {
                if let Some(worker) = weak.upgrade() {
                    worker.ended(ended, due);
                }
            },
        )
    }

    /// A process has ended. Runs on the supervisor's thread, so it waits for nothing.
    fn ended(self: Arc<Self>, ended: Arc<Live>, due: Due) {
        let worker = self.clone();
        // A process that cannot be followed by another thread stays what it is: ended.
        let revive = std::thread::Builder::new().name("hookrail-revive".into()).spawn(move || {
            if let Some(how) = worker.is_to_be_revived(&ended) {
                drop(ended);
                drop(due);
                worker.again(how);
            }
        });
        if let Err(error) = revive {
            log!(error, worker = self.name, "it is not started again: {error}");
        }
    }

    /// A process has ended. If another one is to be started, with every plugin where it was, returns how it ended.
    fn is_to_be_revived(self: &Arc<Self>, ended: &Arc<Live>) -> Option<String> {
        // Relaxed: a count.
        self.dropped.fetch_add(ended.region.notes_lost(), Ordering::Relaxed);
        // What its instances would have removed themselves, had they ended before it.
        self.homes.lock().iter().for_each(|home| sweep_instance(home));
        let how = ended.how_it_ended();
        let mut state = self.state.lock();
        match &state.now {
            Now::Runs(live) if Arc::ptr_eq(live, ended) => {}
            // It was not the one that serves: it ended while it was being started, or is not needed any more.
            _ => return None,
        }
        state.last_end = Some(how.clone());
        // As with units: who has served for so long has not failed to start.
        if state.since.elapsed() >= self.limits.restarts.longest {
            state.backoff.progress();
        }
        if !state.plugins.iter().filter_map(Weak::upgrade).any(|plugin| plugin.serves()) {
            state.now = Now::Idle;
            self.changed.notify_all();
            return None;
        }
        state.now = Now::Restarts;
        drop(state);
        log!(error, worker = self.name, pid = ended.pid(), "it {how}; it is started again");
        Some(how)
    }

    fn again(self: &Arc<Self>, mut how: String) {
        loop {
            let pause = {
                let mut state = self.state.lock();
                match state.backoff.ended() {
                    Next::Start { after } => after,
                    Next::Fail { ends } => {
                        log!(error, worker = self.name, "it is given up after {ends} ends in a row: it {how}");
                        state.now = Now::Failed(how);
                        return self.changed.notify_all();
                    }
                }
            };
            std::thread::sleep(pause);
            if self.members().is_empty() {
                self.state.lock().now = Now::Idle;
                return self.changed.notify_all();
            }
            match self.bring_back() {
                Ok(()) => {
                    self.state.lock().restarts += 1;
                    return self.end_if_idle();
                }
                Err(error) => {
                    how = format!("could not be brought back: {error}");
                    log!(error, worker = self.name, "{how}");
                }
            }
        }
    }

    /// Starts a process, and brings every plugin to where it was. Only whoever has set the state to [`Now::Restarts`] does
    /// so: there is one process at a time.
    fn bring_back(self: &Arc<Self>) -> Result<(), Error> {
        let plugins = self.members();
        let live = self.start()?;
        live.crash.lock().opened = plugins.iter().map(|plugin| plugin.opened()).collect();
        let replay = |plugin: &Arc<dyn Member>| plugin.replay(&live);
        plugins.iter().try_for_each(replay).inspect_err(|_| live.kill())?;
        self.set_running(&mut self.state.lock(), &live);
        Ok(())
    }
}

/// There was no process in time for a call of a plugin.
fn late(plugin: &str, call: &'static str) -> Error {
    Error::misbehaved(plugin, Misbehaved::worker_ended(call, "its worker was not back in time"))
}

/// What is said of a worker that has been given up.
pub(super) fn given_up(how: &str) -> String {
    format!("its worker was given up: it {how}")
}

//! The place of one endpoint in a pipeline: which endpoint runs there now, on which thread, and when another one does.
//!
//! 1. A thread waits until the pipeline wants the endpoint to run, and its plugin serves.
//! 2. It has the plugin accept one, or takes the one that was accepted when a new generation was about to serve.
//! 3. It runs it, until that returns.
//! 4. If its plugin is leaving, or the pipeline wants it to end, it is told to. If it has failed, there is a pause, which is
//!    longer each time.
//! 5. The thread ends, and with it what the plugin has left on it; another one goes on with 1.

pub(crate) mod accepting;
pub(crate) mod target;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::StreamIo;
use hookrail_dispatch::reclaim;
use hookrail_engine::{Accepted, Endpoint, Endpoints};
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::log;
use hookrail_model::note::EndpointKind;
use hookrail_model::pipeline::EndpointState;
use hookrail_model::time::later;
use parking_lot::{Condvar, Mutex, MutexGuard};
use serde_json::Value;

use crate::flow::Flow;
use crate::here::Here;
use crate::io::{SinkEnd, SourceEnd};
use crate::outlet::Outlet;
use crate::own::Own;
use crate::source::Inlet;
use target::Target;

/// The shortest and the longest pause before an endpoint that has failed is started again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// An endpoint that ran for so long is not failing again and again.
const LONG: Duration = Duration::from_secs(10);

/// What messages come or go by.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Sink(Arc<Outlet>),
    Source(Arc<Inlet>),
}

#[derive(Debug)]
pub(crate) struct Slot {
    /// `PIPELINE/NAME`
    pub(crate) path: String,
    pub(crate) name: String,
    /// That of its configuration, as files have it.
    key: String,
    pub(crate) uses: String,
    pub(crate) way: Way,
    target: Target,
    config: Value,
    /// Of what its configuration had from files for the endpoint that was given it last.
    secrets: Mutex<Option<u64>>,
    flow: Arc<Flow>,
    own: Own,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the pipeline wants it to run.
    is_wanted: bool,
    /// Whether there is a thread.
    is_worked: bool,
    /// Whether an endpoint runs.
    is_running: bool,
    /// Whether what runs was told to end.
    is_told: bool,
    /// Whether it has nothing more to do.
    is_done: bool,
    /// Its plugin, while that serves.
    serving: Option<Arc<Endpoints>>,
    /// One of a generation that is about to serve.
    coming: Option<(Arc<Endpoints>, Accepted)>,
    failure: Option<String>,
    restarts: u64,
}

/// What runs.
enum Runs {
    Own(Box<dyn Endpoint>),
    Plugin(Accepted),
}

/// How a slot is.
#[derive(Debug)]
pub(crate) struct SlotNow {
    pub(crate) state: EndpointState,
    pub(crate) reason: Option<String>,
    pub(crate) restarts: u64,
}

impl Way {
    pub(crate) fn kind(&self) -> EndpointKind {
        match self {
            Way::Sink(_) => EndpointKind::Sink,
            Way::Source(_) => EndpointKind::Source,
        }
    }
}

impl Slot {
    pub(crate) fn new(
        pipeline: &str,
        name: &str,
        (uses, config): (&str, &Value),
        way: Way,
        flow: &Arc<Flow>,
        own: &Own,
    ) -> Arc<Self> {
        Arc::new(Slot {
            path: path_of(pipeline, name),
            name: name.into(),
            key: key_of(pipeline, way.kind(), name),
            uses: uses.into(),
            target: Target::of(uses, way.kind(), own),
            way,
            config: if config.is_null() { Value::Object(serde_json::Map::new()) } else { config.clone() },
            secrets: Mutex::default(),
            flow: flow.clone(),
            own: own.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// The instance that it uses, if it is a plugin's.
    pub(crate) fn instance(&self) -> Option<&str> {
        self.target.instance()
    }

    fn uses_of(&self, endpoints: &Endpoints) -> bool {
        self.instance().is_some_and(|instance| endpoints.instances().any(|known| known == instance))
    }

    /// Its thread begins to work, unless it does.
    ///
    /// # Errors
    /// If the system starts no thread now.
    pub(crate) fn begin(self: &Arc<Self>) -> Result<(), Error> {
        let mut state = self.state.lock();
        (state.is_wanted, state.is_done, state.failure) = (true, false, None);
        if !state.is_worked {
            self.spawn(PAUSES.0).map_err(|source| Error::system("start a thread for an endpoint", source))?;
            state.is_worked = true;
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Has what runs end, and nothing run any more. Does not wait.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.is_wanted = false;
        self.close(&mut state);
        self.changed.notify_all();
    }

    /// Waits until nothing runs; returns whether nothing does.
    pub(crate) fn wait_until_idle(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while state.is_running {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return !state.is_running;
            }
        }
        true
    }

    /// Has a generation that is about to serve accept the endpoint.
    pub(crate) fn prepare(&self, endpoints: &Arc<Endpoints>) -> Result<(), Error> {
        if self.uses_of(endpoints) {
            let accepted = self.accept_of(endpoints)?;
            let before = self.state.lock().coming.replace((endpoints.clone(), accepted));
            // It is code of a plugin that is dropped.
            drop(before);
        }
        Ok(())
    }

    /// Its plugin serves.
    pub(crate) fn serve(&self, endpoints: &Arc<Endpoints>) {
        if self.uses_of(endpoints) {
            let mut state = self.state.lock();
            state.serving = Some(endpoints.clone());
            (state.is_done, state.failure) = (false, None);
            self.changed.notify_all();
        }
    }

    /// Its plugin leaves, or does not come.
    pub(crate) fn leave(&self, endpoints: &Arc<Endpoints>) {
        let is_it = |known: &Arc<Endpoints>| Arc::ptr_eq(known, endpoints);
        let mut state = self.state.lock();
        let coming = state.coming.take_if(|(of, _)| is_it(of));
        if state.serving.take_if(|of| is_it(of)).is_some() {
            self.close(&mut state);
            self.changed.notify_all();
        }
        drop(state);
        drop(coming);
    }

    /// How it is.
    pub(crate) fn now(&self) -> SlotNow {
        let state = self.state.lock();
        let is_closing = !state.is_wanted || state.serving.is_none() && self.instance().is_some();
        let (now, reason) = if state.is_running && is_closing {
            (EndpointState::Closing, None)
        } else if state.is_running {
            (EndpointState::Running, None)
        } else if !state.is_wanted {
            (EndpointState::Stopped, None)
        } else if state.failure.is_some() {
            (EndpointState::Failed, state.failure.clone())
        } else if state.is_done {
            (EndpointState::Done, None)
        } else {
            let why = self.instance().map(|instance| format!("the plugin instance `{instance}` does not run"));
            (EndpointState::Waiting, why.filter(|_| state.serving.is_none()))
        };
        SlotNow { state: now, reason, restarts: state.restarts }
    }

    /// Has whatever runs told to end.
    fn close(&self, state: &mut State) {
        state.is_told = true;
        match &self.way {
            Way::Sink(outlet) => outlet.queue.close_reader(),
            Way::Source(inlet) => {
                inlet.close(true);
                self.flow.routing().outlets.iter().for_each(|outlet| outlet.queue.wake());
            }
        }
    }

    fn open(&self, state: &mut State) {
        state.is_told = false;
        match &self.way {
            Way::Sink(outlet) => outlet.queue.open_reader(),
            Way::Source(inlet) => inlet.close(false),
        }
    }

    fn spawn(self: &Arc<Self>, pause: Duration) -> io::Result<()> {
        let slot = self.clone();
        reclaim::spawn(format!("hr-{}", self.name), move || slot.work(pause)).map(drop)
    }

    /// The thread; `pause` is that after the next failure.
    fn work(self: Arc<Self>, mut pause: Duration) {
        while let Some(of) = self.wait_for_work() {
            let (began, ended) = (Instant::now(), self.run_one(of.as_ref()));
            if began.elapsed() >= LONG {
                pause = PAUSES.0;
            }
            if let Err(why) = ended {
                pause = self.failed(&why, pause);
            }
            // Without another thread this one goes on, and keeps what the plugin has left.
            if of.is_some() && self.spawn(pause).is_ok() {
                return;
            }
        }
    }

    /// Waits after a failure, unless something changes; returns the pause after the next one.
    fn failed(&self, why: &Error, pause: Duration) -> Duration {
        log!(error, "{}: {why}; it is started again after {pause:.1?}", self.path);
        let mut state = self.state.lock();
        state.failure = Some(why.to_string());
        let until = later(Instant::now(), jittered(pause));
        // Whatever changes, the failure is forgotten with it.
        while state.failure.is_some() && state.is_wanted {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        if state.failure.take().is_none() {
            return PAUSES.0;
        }
        state.restarts += 1;
        (pause * 2).min(PAUSES.1)
    }

    /// Waits until something is to run; returns the plugin that serves, if it is a plugin's. `None` in place of that: the
    /// thread is to end.
    #[expect(clippy::option_option, reason = "the outer one is that of a loop")]
    fn wait_for_work(&self) -> Option<Option<Arc<Endpoints>>> {
        let mut state = self.state.lock();
        loop {
            if !state.is_wanted {
                state.is_worked = false;
                return None;
            }
            let serves = state.serving.is_some() || self.instance().is_none();
            if serves && !state.is_done {
                return Some(state.serving.clone());
            }
            self.changed.wait(&mut state);
        }
    }

    /// Has one accepted, and runs it until it returns. An error is a failure of it, not an end that it was told.
    fn run_one(&self, of: Option<&Arc<Endpoints>>) -> Result<(), Error> {
        let accepted = match of {
            Some(of) => self.accepted(of).map(Runs::Plugin),
            None => self.accept_own().map(Runs::Own),
        };
        let mut runs = match accepted {
            Ok(runs) => runs,
            Err(_) if !self.is_current(&self.state.lock(), of) => return Ok(()),
            Err(error) => return Err(error),
        };
        {
            let mut state = self.state.lock();
            if !self.is_current(&state, of) {
                return Ok(());
            }
            self.open(&mut state);
            state.is_running = true;
        }
        let _idle = Idle(self);
        let result = self.run(&mut runs);
        // Before it is idle: it keeps its plugin.
        drop(runs);
        let mut state = self.state.lock();
        if state.is_told || !self.is_current(&state, of) {
            return Ok(());
        }
        result?;
        // It has returned, and nobody has told it to.
        match &self.way {
            Way::Sink(outlet) if !outlet.queue.wait_until_closed(outlet.queue.reader(), Instant::now()) => {
                let why = Misbehaved::failed("run", "it returned, though messages may come");
                Err(Error::misbehaved(&*self.uses, why))
            }
            _ => {
                state.is_done = true;
                Ok(())
            }
        }
    }

    fn is_current(&self, state: &State, of: Option<&Arc<Endpoints>>) -> bool {
        let serves = match (of, &state.serving) {
            (Some(of), Some(serving)) => Arc::ptr_eq(of, serving),
            (None, _) => true,
            (Some(_), None) => false,
        };
        state.is_wanted && serves
    }

    /// The one that was accepted in advance, or another one.
    fn accepted(&self, of: &Arc<Endpoints>) -> Result<Accepted, Error> {
        let coming = self.state.lock().coming.take_if(|(known, _)| Arc::ptr_eq(known, of));
        match coming {
            Some((_, accepted)) => Ok(accepted),
            None => self.accept_of(of),
        }
    }

    fn run(&self, runs: &mut Runs) -> Result<(), Error> {
        let _here = Here::begin(&self.path);
        match &self.way {
            Way::Source(inlet) => {
                let end = SourceEnd::new(&self.flow, inlet);
                // SAFETY: the end stays until this returns, and is used by this call alone.
                unsafe { runs.run(&end.io()) }
            }
            Way::Sink(outlet) => {
                let end = SinkEnd::new(&self.flow, outlet);
                // SAFETY: the end stays until this returns, and is used by this call alone.
                let ran = unsafe { runs.run(&end.io()) };
                end.end();
                ran
            }
        }
    }
}

impl Runs {
    /// # Safety
    /// As for [`Endpoint::run`].
    unsafe fn run(&mut self, io: *const StreamIo) -> Result<(), Error> {
        // SAFETY: the caller promises it.
        unsafe {
            match self {
                Runs::Own(own) => own.run(io),
                Runs::Plugin(accepted) => accepted.run(io),
            }
        }
    }
}

/// Nothing runs any more when this is dropped.
struct Idle<'a>(&'a Slot);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        let mut state: MutexGuard<'_, State> = self.0.state.lock();
        state.is_running = false;
        self.0.changed.notify_all();
    }
}

/// The path of an endpoint's place.
pub(crate) fn path_of(pipeline: &str, name: &str) -> String {
    format!("{pipeline}/{name}")
}

/// The key of the configuration of an endpoint.
pub(crate) fn key_of(pipeline: &str, kind: EndpointKind, name: &str) -> String {
    format!("pipelines.{pipeline}.{}s.{name}.config", kind.name())
}

/// Between half of the pause and all of it: what fails together does not come again together.
fn jittered(pause: Duration) -> Duration {
    let part = RandomState::new().hash_one(0) as u32;
    pause / 2 + (pause / 2).mul_f64(f64::from(part) / f64::from(u32::MAX))
}

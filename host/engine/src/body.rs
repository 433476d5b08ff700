//! Where the code of a plugin runs: in this process ([`InProcess`](crate::InProcess)), or in another one, which a crate
//! above provides. The engine decides what is done to a plugin and when; a body does it.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::boundary::{Registration, SavedState, TooSmall};
use hookrail_dispatch::PointState;
use hookrail_loader::{Closed, Meter, Numbers, PluginDiagnostics};
use hookrail_model::end::End;
use hookrail_model::error::Error;
use hookrail_model::isolation::WorkerView;
use hookrail_model::note::{EndpointKind, Note};
use serde::{Deserialize, Serialize};

use crate::endpoints::{Accepts, Attending};
use crate::points::Points;
use crate::units::Units;
use crate::writable::Writable;

/// The code of one loaded plugin, and its instances. The methods that change something are called on one thread at a
/// time.
///
/// Dropping it without [`close`](Self::close) is safe, and may leave everything as it is.
pub trait Body: fmt::Debug + Send {
    /// What the file declares.
    fn note(&self) -> &Note;

    /// The file that it was read from.
    fn file(&self) -> &Path;

    /// Another descriptor of the private copy of the file.
    ///
    /// # Errors
    /// If the system has no more descriptors.
    fn keep_copy(&self) -> Result<OwnedFd, Error>;

    /// Its diagnostics.
    fn diagnostics(&self) -> &Arc<PluginDiagnostics>;

    /// The meter of its memory, if it counts that.
    fn meter(&self) -> Option<Arc<Meter>>;

    /// The numbers that it counts itself, if there are some.
    fn numbers(&self) -> Option<Arc<Numbers>>;

    /// The worker that it runs in, if it is not this process.
    fn worker(&self) -> Option<Arc<dyn WorkerStatus>> {
        None
    }

    /// The JSON Schema of its configuration, if it exports one.
    ///
    /// # Errors
    /// If it fails to write it.
    fn schema(&self) -> Result<Option<String>, Error>;

    /// The JSON Schema of the configuration of an endpoint that it declares, if it states one.
    ///
    /// # Errors
    /// If it fails to write it.
    fn endpoint_schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error>;

    /// Creates an instance.
    ///
    /// # Errors
    /// What the plugin reports.
    fn create(&mut self, instance: &Configured<'_>) -> Result<(), Error>;

    /// Starts a created instance, with the state that the previous generation handed over, if there is one. It
    /// registers its callbacks by `admission`.
    ///
    /// # Errors
    /// What the plugin reports.
    fn start(&mut self, instance: &str, state: Option<&SavedState>, admission: &mut dyn Admission)
    -> Result<(), Error>;

    /// Hands a new configuration, as JSON, to a started instance, whose callbacks keep running.
    ///
    /// # Errors
    /// What the plugin reports; if there is no such instance, or it cannot reload.
    fn reload(&self, instance: &str, config: &str) -> Result<(), Error>;

    /// What a started instance hands over: its state, or what changed since. `None` if it hands over nothing.
    ///
    /// # Errors
    /// What the plugin reports; if it is more than `limit` bytes.
    fn save(&self, instance: &str, what: Saved, limit: usize) -> Result<Option<SavedState>, Error>;

    /// Hands the previous generation's last changes to a started instance, whose callbacks keep running.
    ///
    /// # Errors
    /// What the plugin reports; if it takes none.
    fn apply_changes(&self, instance: &str, changes: &SavedState) -> Result<(), Error>;

    /// Asks a started instance for something. One that has no table `lifecycle/1` is ready and well, and has nothing to
    /// pause and to finish.
    ///
    /// # Errors
    /// What the plugin reports: it refuses, or it does not work.
    fn request(&self, instance: &str, request: Request) -> Result<Response, Error>;

    /// The endpoints of a started instance, if it has any where it runs. Whoever uses them keeps the instance started.
    fn endpoints(&self, instance: &str) -> Option<Arc<dyn Accepts>> {
        let _ = instance;
        None
    }

    /// Stops and destroys the instances. No callback may be running or be called any more.
    fn stop(&mut self);

    /// From now on each thread runs the destructors that it has left of the code. No callback may be running or be
    /// called any more.
    fn leave(&self);

    /// Closes the library after [`stop`](Self::stop). After `deadline` it periodically calls `keep_waiting` with what
    /// it is waiting for; if that returns false, it stops waiting and the library stays.
    fn close(self: Box<Self>, deadline: Instant, keep_waiting: &mut dyn FnMut(End) -> bool) -> Closed;
}

/// A worker, as it is now.
pub trait WorkerStatus: Send + Sync {
    /// A view of it; waits for nothing.
    fn view(&self) -> WorkerView;
}

/// An instance that is about to be created.
#[derive(Clone, Copy, Debug)]
pub struct Configured<'a> {
    /// Its name: `mask`, `mask:logs`.
    pub name: &'a str,
    /// Its configuration, as JSON.
    pub config: &'a str,
    /// Its own directory, with one subdirectory per kind of directory.
    pub home: &'a Path,
    /// What it writes its configuration with.
    pub writable: &'a Arc<dyn Writable>,
    /// What begins its units.
    pub units: &'a Arc<dyn Units>,
    /// The points that it dispatches itself.
    pub points: &'a Arc<dyn Points>,
    /// What runs the endpoints of its host.
    pub attending: &'a Attending,
}

/// What an instance is asked to hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// What changed since it was asked for its state; none of its callbacks runs any more.
    Changes,
    /// Its state; its callbacks keep running.
    State,
}

impl Saved {
    /// The function of the plugin that hands it over.
    pub fn call(self) -> &'static str {
        match self {
            Saved::Changes => "save_changes",
            Saved::State => "save",
        }
    }
}

/// What a started instance is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// That it finishes what it holds, within that time. None of its callbacks runs any more.
    Drain(Duration),
    /// That it pauses its own work.
    Halt,
    /// How it is; where a call can be ended, it is ended after that time.
    Health(Duration),
    /// Whether it can do its work.
    Ready,
    /// That it continues its own work.
    Resume,
}

impl Request {
    /// The function of the plugin that is asked.
    pub fn call(self) -> &'static str {
        match self {
            Request::Drain(_) => "drain",
            Request::Halt => "halt",
            Request::Health(_) => "health",
            Request::Ready => "ready",
            Request::Resume => "resume",
        }
    }
}

/// What came of a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// It was not asked: it is busy with something else.
    Busy,
    /// It is so.
    Done,
    /// It is not quite so, for this reason: it is not ready yet, or its health is degraded.
    Partly(String),
}

/// What takes the registrations of an instance that is being started.
pub trait Admission {
    /// The point with that name, if it is declared where the callbacks will be called.
    fn point(&self, name: &str) -> Option<Arc<PointState>>;

    /// Refuses a registration, for a reason that only the body knows.
    fn refuse(&mut self, error: Error);

    /// Takes a registration; returns whether it was admitted. The first refusal fails the start.
    fn admit(&mut self, record: Result<&Registration, TooSmall>) -> bool;
}

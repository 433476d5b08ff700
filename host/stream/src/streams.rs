//! All pipelines of a host.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hookrail_abi::{Sink, Source};
use hookrail_engine::{Attendant, DeclaredEndpoints, Endpoints, Host};
use hookrail_model::bus::BusView;
use hookrail_model::error::{ApiMisuse, ConfigError, Error};
use hookrail_model::log;
use hookrail_model::note::EndpointKind;
use hookrail_model::pipeline::{PipelineConfig, PipelineView};
use parking_lot::Mutex;
use serde_json::Value;

use crate::bus::{Bus, ends, service};
use crate::foresee::{self, ForeseenEndpoint};
use crate::marks::Changes;
use crate::own::Own;
use crate::pipeline::{self, Pipeline};
use crate::points::Points;
use crate::slot::Slot;

/// How often queues and marks are made durable, at most.
const FLUSH: Duration = Duration::from_millis(200);

/// The pipelines of a host. Dropping it stops them at once, as [`stop`](Self::stop) does with a deadline that is over.
///
/// ```
/// use std::sync::mpsc;
/// use std::time::{Duration, Instant};
///
/// use hookrail::stream::Streams;
/// use hookrail::{Config, Host, Message, PipelineConfig, Received, SinkConfig, SinkIo, SourceConfig, SourceIo};
///
/// # let directory = std::env::temp_dir().join(format!("hookrail-doc-streams-{}", std::process::id()));
/// let host = Host::new(Config::default().with_home(&directory))?;
/// let mut streams = Streams::of(&host)?;
/// // What a plugin has, a program may have itself: a source and a sink.
/// streams.offer_source("numbers", |_| {
///     Ok(|io: &mut SourceIo<'_>| {
///         for number in 0..3 {
///             io.send(&mut Message::new("number", number.to_string()))?;
///         }
///         Ok(())
///     })
/// });
/// let (bodies, received) = mpsc::channel();
/// streams.offer_sink("bodies", move |_| {
///     let bodies = bodies.clone();
///     Ok(move |io: &mut SinkIo<'_>| {
///         loop {
///             let taken = match io.recv(16, None) {
///                 Received::Closed => return Ok(()),
///                 Received::Nothing => continue,
///                 Received::Messages(messages) => {
///                     messages.iter().for_each(|message| bodies.send(message.body.to_display().to_string()).unwrap());
///                     messages.len()
///                 }
///             };
///             io.ack(taken);
///         }
///     })
/// });
/// let streams = streams.begin(&host)?;
/// let pipeline = PipelineConfig::default()
///     .with_source("in", SourceConfig::new("numbers"))
///     .with_sink("out", SinkConfig::new("bodies"));
/// streams.add("counting", &pipeline)?;
/// streams.start("counting")?;
/// assert_eq!(received.iter().take(3).collect::<Vec<_>>(), ["0", "1", "2"]);
/// streams.stop("counting", Instant::now() + Duration::from_secs(5))?;
/// assert_eq!(streams.view("counting")?.sinks[0].delivered, 3);
/// # drop(host);
/// # let _ = std::fs::remove_dir_all(directory);
/// # Ok::<(), hookrail::Error>(())
/// ```
#[derive(Debug)]
pub struct Streams {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

/// Pipelines that are about to begin: the time to offer endpoints of the program's own.
#[derive(Debug)]
pub struct NewStreams {
    bus: Arc<Bus>,
    points: Arc<Points>,
    own: Own,
    home: PathBuf,
}

#[derive(Debug)]
struct Shared {
    bus: Arc<Bus>,
    points: Arc<Points>,
    own: Own,
    home: PathBuf,
    state: Mutex<State>,
    /// Held while all pipelines are changed.
    applying: Mutex<()>,
    /// What tells of marks that are to be written.
    changes: Arc<Changes>,
}

#[derive(Debug, Default)]
struct State {
    pipelines: BTreeMap<String, Arc<Pipeline>>,
    /// The generations that serve.
    serving: Vec<Arc<Endpoints>>,
}

/// What of these pipelines can never run, whatever plugins there are.
pub fn mistakes(pipelines: &BTreeMap<String, PipelineConfig>) -> Vec<ConfigError> {
    pipelines.iter().flat_map(|(name, config)| pipeline::mistakes(name, config)).collect()
}

impl NewStreams {
    /// Offers a source of the program's own, under that name; `make` is called once per use in a pipeline, with its
    /// configuration.
    pub fn offer_source<S: Source>(
        &mut self,
        name: &str,
        make: impl Fn(&Value) -> hookrail_abi::Result<S> + Send + Sync + 'static,
    ) {
        self.own.add_source(name, make);
    }

    /// Offers a sink of the program's own, as [`offer_source`](Self::offer_source) does a source.
    pub fn offer_sink<S: Sink>(
        &mut self,
        name: &str,
        make: impl Fn(&Value) -> hookrail_abi::Result<S> + Send + Sync + 'static,
    ) {
        self.own.add_sink(name, make);
    }

    /// Checks the configurations of all endpoints of these pipelines, and starts nothing. `find` says what a plugin declares,
    /// if that is known.
    #[doc(hidden)]
    pub fn foresee(
        &self,
        pipelines: &BTreeMap<String, PipelineConfig>,
        find: impl FnMut(&str) -> Option<Arc<DeclaredEndpoints>>,
    ) -> Vec<ForeseenEndpoint> {
        foresee::all(&self.own, pipelines, find)
    }

    /// Begins: from now on the endpoints of the host's plugins are run in pipelines.
    ///
    /// # Errors
    /// If the host has pipelines already, or the system starts no thread now.
    pub fn begin(self, host: &Host) -> Result<Streams, Error> {
        let NewStreams { bus, points, own, home } = self;
        let (state, applying, changes) = (Mutex::default(), Mutex::default(), Arc::default());
        let shared = Arc::new(Shared { bus, points, own, home, state, applying, changes });
        let attendant: Arc<dyn Attendant> = shared.clone();
        if !host.core().attend(&attendant)? {
            return Err(ApiMisuse::PipelinesThere.into());
        }
        service::offer();
        let writing = shared.clone();
        let writer = std::thread::Builder::new().name("hookrail-marks".into()).spawn(move || writing.flush());
        let writer = writer.map_err(|source| Error::system("start the thread that keeps marks", source))?;
        Ok(Streams { shared, writer: Some(writer) })
    }
}

impl Streams {
    /// The pipelines of that host, which has none yet.
    ///
    /// # Errors
    /// If other points have the names of those that messages pass.
    pub fn of(host: &Host) -> Result<NewStreams, Error> {
        let home = host.config().home_dir().join("streams");
        let (points, mut own) = (Arc::new(Points::of(host)?), Own::default());
        let bus = Arc::new(Bus::new(&points));
        ends::offer(&mut own, &bus);
        Ok(NewStreams { bus, points, own, home })
    }

    /// Adds a pipeline, which is not started.
    ///
    /// # Errors
    /// If there is one with that name, its configuration contradicts itself, or the marks of its sources cannot be read.
    pub fn add(&self, name: &str, config: &PipelineConfig) -> Result<(), Error> {
        let Shared { points, own, home, changes, state, .. } = &*self.shared;
        let pipeline = Pipeline::new(name, config, points, own, (home, changes))?;
        match state.lock().pipelines.entry(name.into()) {
            std::collections::btree_map::Entry::Vacant(place) => _ = place.insert(Arc::new(pipeline)),
            std::collections::btree_map::Entry::Occupied(_) => return Err(ApiMisuse::PipelineThere(name.into()).into()),
        }
        Ok(())
    }

    /// Changes the pipelines to these: those that are not among them are stopped and forgotten, those that are new are
    /// started, and in those that differ only what differs is ended and started; queues and marks are kept. What is left in
    /// queues that go is delivered until the deadline, and dropped then. Returns what has changed, one line for each
    /// pipeline.
    ///
    /// # Errors
    /// If any of them contradicts itself, or one of its endpoints is refused by a plugin that runs: then nothing has changed.
    pub fn apply(&self, pipelines: &BTreeMap<String, PipelineConfig>, deadline: Instant) -> Result<Vec<String>, Error> {
        let _applying = self.shared.applying.lock();
        let (known, serving) = {
            let state = self.shared.state.lock();
            (state.pipelines.clone(), state.serving.clone())
        };
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (name, config) in pipelines {
            match known.get(name) {
                None => {
                    let Shared { points, own, home, changes, .. } = &*self.shared;
                    let pipeline = Arc::new(Pipeline::new(name, config, points, own, (home, changes))?);
                    pipeline.each_slot(|slot| slot.try_accept(&serving))?;
                    new.push((name, pipeline));
                }
                Some(pipeline) if pipeline.is_configured(config) => {}
                Some(pipeline) => changed.push((name, pipeline, pipeline.prepare(config, &serving)?)),
            }
        }
        let mut done = Vec::new();
        for (name, pipeline) in known.iter().filter(|(name, _)| !pipelines.contains_key(*name)) {
            pipeline.leave(deadline);
            self.shared.state.lock().pipelines.remove(name);
            done.push(format!("{name} is stopped and gone"));
        }
        for (name, pipeline, parts) in changed {
            pipeline.change(parts, |slot| self.shared.greet(slot), deadline)?;
            done.push(format!("{name} is changed"));
        }
        for (name, pipeline) in new {
            self.shared.state.lock().pipelines.insert(name.clone(), pipeline.clone());
            pipeline.start(|slot| self.shared.greet(slot))?;
            done.push(format!("{name} is new, and started"));
        }
        Ok(done)
    }

    /// Finds what is wrong with the configurations of all endpoints for good: one that its plugin does not have, or that does
    /// not match its schema. What a plugin refuses is no such mistake, since it may accept it later.
    ///
    /// # Errors
    /// That is the error.
    pub fn check(&self) -> Result<(), Error> {
        let (pipelines, serving) = {
            let state = self.shared.state.lock();
            (state.pipelines.clone(), state.serving.clone())
        };
        pipelines.values().try_for_each(|pipeline| pipeline.each_slot(|slot| slot.check(&serving)))
    }

    /// Starts a pipeline, or what of it does not run. Endpoints whose plugin does not run wait for it.
    ///
    /// # Errors
    /// If there is none with that name, or the system starts no thread now.
    pub fn start(&self, name: &str) -> Result<(), Error> {
        self.shared.find(name)?.start(|slot| self.shared.greet(slot))
    }

    /// Ends the sources of a pipeline; its sinks take what is in their queues, and wait. Waits until the deadline.
    ///
    /// # Errors
    /// If there is none with that name.
    pub fn halt(&self, name: &str, deadline: Instant) -> Result<(), Error> {
        self.shared.find(name)?.halt(deadline);
        Ok(())
    }

    /// Starts the sources of a halted pipeline again.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn resume(&self, name: &str) -> Result<(), Error> {
        self.shared.find(name)?.resume()
    }

    /// Ends the sources of a pipeline, then its sinks when their queues are empty, or the deadline has come: what is left
    /// is dropped then, and comes again from sources that keep marks.
    ///
    /// # Errors
    /// If there is none with that name.
    pub fn stop(&self, name: &str, deadline: Instant) -> Result<(), Error> {
        self.shared.find(name)?.stop(deadline);
        Ok(())
    }

    /// Stops all of them, at the same time.
    pub fn stop_all(&self, deadline: Instant) {
        let pipelines: Vec<_> = self.shared.state.lock().pipelines.values().cloned().collect();
        std::thread::scope(|scope| {
            for pipeline in &pipelines {
                scope.spawn(|| pipeline.stop(deadline));
            }
        });
    }

    /// A pipeline, as it is now.
    ///
    /// # Errors
    /// If there is none with that name.
    pub fn view(&self, name: &str) -> Result<PipelineView, Error> {
        Ok(self.shared.find(name)?.view())
    }

    /// All of them, by name.
    pub fn views(&self) -> Vec<PipelineView> {
        let pipelines: Vec<_> = self.shared.state.lock().pipelines.values().cloned().collect();
        pipelines.iter().map(|pipeline| pipeline.view()).collect()
    }

    /// The bus, by which plugins publish and subscribe, as it is now.
    pub fn bus(&self) -> BusView {
        self.shared.bus.view()
    }

    /// Whether there are some, and none has anything more to do: all their sources have come to an end.
    pub fn are_done(&self) -> bool {
        let pipelines: Vec<_> = self.shared.state.lock().pipelines.values().cloned().collect();
        !pipelines.is_empty() && pipelines.iter().all(|pipeline| pipeline.is_done())
    }

    /// The names of the program's own endpoints of that kind.
    pub fn own(&self, kind: EndpointKind) -> Vec<String> {
        self.shared.own.names(kind).map(Into::into).collect()
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.stop_all(Instant::now());
        self.shared.bus.close();
        self.shared.changes.end();
        if let Some(writer) = self.writer.take() {
            // One that panicked has ended as well.
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn find(&self, name: &str) -> Result<Arc<Pipeline>, Error> {
        let found = self.state.lock().pipelines.get(name).cloned();
        found.ok_or_else(|| ApiMisuse::NoPipeline(name.into()).into())
    }

    /// Tells a slot which plugins serve. Under the lock of the list, so that one that leaves meanwhile is told to the slot
    /// afterwards.
    fn greet(&self, slot: &Slot) {
        self.state.lock().serving.iter().for_each(|endpoints| slot.serve(endpoints));
    }

    fn pipelines(&self) -> Vec<Arc<Pipeline>> {
        self.state.lock().pipelines.values().cloned().collect()
    }

    fn flush(&self) {
        while self.changes.wait() {
            self.pipelines().iter().for_each(|pipeline| pipeline.flush());
            self.changes.rest(FLUSH);
        }
    }
}

impl Attendant for Shared {
    fn coming(&self, endpoints: &Arc<Endpoints>) -> Result<(), Error> {
        for pipeline in self.pipelines() {
            pipeline.each_slot(|slot| slot.prepare(endpoints))?;
        }
        Ok(())
    }

    fn serving(&self, endpoints: &Arc<Endpoints>) {
        // Under one lock with the list of pipelines: one that is added now finds them in the list.
        let mut state = self.state.lock();
        state.serving.push(endpoints.clone());
        let pipelines: Vec<_> = state.pipelines.values().cloned().collect();
        drop(state);
        each_slot(&pipelines, |slot| slot.serve(endpoints));
        log!(debug, plugin = endpoints.plugin(), "its endpoints serve");
    }

    fn shared(&self) -> Arc<dyn Any + Send + Sync> {
        self.bus.clone()
    }

    fn leaving(&self, endpoints: &Arc<Endpoints>) {
        let mut state = self.state.lock();
        state.serving.retain(|known| !Arc::ptr_eq(known, endpoints));
        let pipelines: Vec<_> = state.pipelines.values().cloned().collect();
        drop(state);
        each_slot(&pipelines, |slot| slot.leave(endpoints));
    }
}

fn each_slot(pipelines: &[Arc<Pipeline>], mut tell: impl FnMut(&Slot)) {
    for pipeline in pipelines {
        let told = pipeline.each_slot(|slot| {
            tell(slot);
            Ok(())
        });
        told.expect("telling does not fail");
    }
}

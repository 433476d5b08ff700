//! One pipeline: its slots, and what they share.

mod check;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::DropKind;
use hookrail_engine::Endpoints;
use hookrail_model::error::{ApiMisuse, Error};
use hookrail_model::log;
use hookrail_model::pipeline::{
    EndpointState, PipelineConfig, PipelineState, PipelineView, QueueConfig, QueuePolicy, SinkView, SourceView,
};
use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use crate::flow::{Flow, Routing, WaitsFor};
use crate::marks::{Changes, Marks};
use crate::outlet::Outlet;
use crate::own::Own;
use crate::points::Points;
use crate::queue::{Mode, Queue};
use crate::route::Routes;
use crate::slot::{Slot, SlotNow, Way};
use crate::source::Inlet;
use crate::spill::Spill;
pub(crate) use check::mistakes;

/// How long sinks have to end when their queues are empty, or nobody waits for that any more.
const END: Duration = Duration::from_secs(1);
/// From one look to the next, while queues are being emptied.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Pipeline {
    name: String,
    flow: Arc<Flow>,
    own: Own,
    home: PathBuf,
    changes: Arc<Changes>,
    parts: RwLock<Arc<Parts>>,
    state: Mutex<PipelineState>,
    /// Held while it is changed.
    changing: Mutex<Standing>,
}

/// What a pipeline consists of. What a new configuration has in common with the one before is taken over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    config: PipelineConfig,
    /// By name.
    sources: BTreeMap<String, (Arc<Slot>, Arc<Inlet>)>,
    /// By name.
    sinks: BTreeMap<String, (Arc<Slot>, Arc<Outlet>)>,
}

impl Parts {
    /// All slots: sinks first, so that they are there when the first message comes.
    fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.sinks.values().map(|(slot, _)| slot).chain(self.sources.values().map(|(slot, _)| slot))
    }

    fn source_slots(&self) -> Vec<Arc<Slot>> {
        self.sources.values().map(|(slot, _)| slot.clone()).collect()
    }

    /// Where messages go.
    fn routing(&self) -> Routing {
        let outlets = self.sinks.values().map(|(_, outlet)| outlet.clone()).collect();
        Routing { routes: Routes::of(&self.config.sinks), outlets }
    }
}

impl Pipeline {
    pub(crate) fn new(
        name: &str,
        config: &PipelineConfig,
        points: &Arc<Points>,
        own: &Own,
        (home, changes): (&Path, &Arc<Changes>),
    ) -> Result<Self, Error> {
        let pipeline = Pipeline {
            name: name.into(),
            flow: Arc::new(Flow::new(points, WaitsFor::All)),
            own: own.clone(),
            home: home.to_owned(),
            changes: changes.clone(),
            parts: RwLock::default(),
            state: Mutex::new(PipelineState::Stopped),
            changing: Mutex::default(),
        };
        let parts = pipeline.plan(config)?;
        pipeline.flow.set_routing(parts.routing());
        *pipeline.parts.write() = Arc::new(parts);
        Ok(pipeline)
    }

    fn parts(&self) -> Arc<Parts> {
        self.parts.read().clone()
    }

    /// What it would consist of. Starts nothing.
    fn plan(&self, config: &PipelineConfig) -> Result<Parts, Error> {
        if let Some(first) = mistakes(&self.name, config).into_iter().next() {
            return Err(first.into());
        }
        let before = self.parts();
        let mut parts = Parts { config: config.clone(), ..Parts::default() };
        for (name, sink) in &config.sinks {
            let known = before.config.sinks.get(name).zip(before.sinks.get(name));
            let part = match known {
                Some((old, (slot, outlet))) if is_same_kind(&old.queue, &sink.queue) => {
                    let is_same = old.uses == sink.uses && old.config == sink.config && !slot.has_other_secrets();
                    let another = || self.slot(name, &sink.uses, &sink.config, Way::Sink(outlet.clone()));
                    (if is_same { slot.clone() } else { another() }, outlet.clone())
                }
                _ => {
                    let outlet = Arc::new(Outlet::new(name, self.queue(name, &sink.queue)?));
                    (self.slot(name, &sink.uses, &sink.config, Way::Sink(outlet.clone())), outlet)
                }
            };
            parts.sinks.insert(name.clone(), part);
        }
        for (name, source) in &config.sources {
            let known = before.config.sources.get(name).zip(before.sources.get(name));
            let part = match known {
                Some((old, part)) if old == source && !part.0.has_other_secrets() => part.clone(),
                // The marks are those of the name, whatever it uses: what it cannot use, it forgets.
                Some((_, (_, inlet))) => {
                    let inlet = Arc::new(inlet.successor());
                    (self.slot(name, &source.uses, &source.config, Way::Source(inlet.clone())), inlet)
                }
                None => {
                    let inlet = Arc::new(Inlet::new(Arc::new(self.marks(name)?)));
                    (self.slot(name, &source.uses, &source.config, Way::Source(inlet.clone())), inlet)
                }
            };
            parts.sources.insert(name.clone(), part);
        }
        Ok(parts)
    }

    fn slot(&self, name: &str, uses: &str, config: &Value, way: Way) -> Arc<Slot> {
        Slot::new(&self.name, name, (uses, config), way, &self.flow, &self.own)
    }

    /// The queue before a sink; what it has on disk is in it.
    fn queue(&self, sink: &str, config: &QueueConfig) -> Result<Queue, Error> {
        if config.policy != QueuePolicy::Spill {
            return Ok(Queue::new(config.clone(), None));
        }
        let directory = self.home.join("queues").join(&self.name).join(sink);
        let doing = || format!("open the queue of {}/{sink} in {}", self.name, directory.display());
        let spill = Spill::open(&directory).map_err(|why| Error::system(doing(), why))?;
        Ok(Queue::new(config.clone(), Some((spill, self.changes.clone()))))
    }

    fn marks(&self, source: &str) -> Result<Marks, Error> {
        let file = self.home.join("marks").join(&self.name).join(format!("{source}.json"));
        let doing = || format!("read the marks of {}/{source} in {}", self.name, file.display());
        Marks::open(file.clone(), &self.changes).map_err(|why| Error::system(doing(), why))
    }

    /// Prepares another configuration: whatever can be wrong with it is found now, and nothing has changed.
    pub(crate) fn prepare(&self, config: &PipelineConfig, serving: &[Arc<Endpoints>]) -> Result<Parts, Error> {
        let (parts, before) = (self.plan(config)?, self.parts());
        for slot in parts.slots().filter(|slot| !before.slots().any(|known| Arc::ptr_eq(known, slot))) {
            slot.try_accept(serving)?;
        }
        Ok(parts)
    }

    /// Changes to what was prepared: only what differs is ended and started. What is left in the queue of a sink that is
    /// no more is delivered until the deadline, and dropped then.
    ///
    /// `greet` tells a slot which plugins serve.
    pub(crate) fn change(&self, parts: Parts, greet: impl Fn(&Slot), deadline: Instant) -> Result<(), Error> {
        let _changing = self.changing.lock();
        let before = self.parts();
        let is_new = |slot: &Arc<Slot>| !before.slots().any(|known| Arc::ptr_eq(known, slot));
        let is_old = |slot: &Arc<Slot>| !parts.slots().any(|known| Arc::ptr_eq(known, slot));
        let routing = parts.routing();
        let state = *self.state.lock();
        let old_sources: Vec<_> = before.sources.values().filter(|(slot, _)| is_old(slot)).cloned().collect();
        let (handed_over, old_sinks): (Vec<_>, Vec<_>) = before
            .sinks
            .iter()
            .filter(|(_, (slot, _))| is_old(slot))
            .partition(|(_, (_, old))| parts.sinks.values().any(|(_, outlet)| Arc::ptr_eq(outlet, old)));
        for (sink, (_, outlet)) in parts.config.sinks.values().zip(parts.sinks.values()) {
            outlet.queue.resize(&sink.queue);
        }
        let parts = Arc::new(parts);
        // First, so that the new ones are told what happens to their plugins from now on.
        *self.parts.write() = parts.clone();
        if state == PipelineState::Stopped {
            self.flow.set_routing(routing);
            return Ok(());
        }
        end_all(&old_sources.iter().map(|(slot, _)| slot.clone()).collect::<Vec<_>>(), deadline);
        // What they leave in their queues is for those that follow.
        end_all(&handed_over.iter().map(|(_, (slot, _))| slot.clone()).collect::<Vec<_>>(), deadline);
        parts.slots().filter(|slot| is_new(slot)).for_each(|slot| greet(slot));
        let is_successor = |name: &str| old_sinks.iter().any(|(old, _)| *old == name);
        for (name, (slot, _)) in parts.sinks.iter().filter(|(_, (slot, _))| is_new(slot)) {
            if !is_successor(name) {
                slot.begin()?;
            }
        }
        let sent_there = self.flow.set_routing(routing);
        // Whoever sends by the way before is about to put it there.
        while Arc::strong_count(&sent_there) > 1 && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        for (name, (_, outlet)) in &old_sinks {
            if !parts.sinks.contains_key(*name) {
                outlet.leave();
            }
        }
        let ending: Vec<_> = old_sinks.iter().map(|(_, part)| (*part).clone()).collect();
        drain(&ending, deadline);
        ending.iter().for_each(|(_, outlet)| outlet.queue.flush());
        for (name, (_, outlet)) in &old_sinks {
            match parts.sinks.get(*name) {
                // What is left is for the one of the same name, before all that has come since.
                Some((slot, successor)) => {
                    successor.adopt(&self.flow.points, outlet);
                    slot.begin()?;
                }
                None => outlet.clear(&self.flow.points),
            }
        }
        if state == PipelineState::Running {
            for (slot, _) in parts.sources.values().filter(|(slot, _)| is_new(slot)) {
                slot.begin()?;
            }
        }
        old_sources.iter().for_each(|(slot, inlet)| write_marks(slot, inlet));
        Ok(())
    }

    /// Calls this with each of its slots.
    pub(crate) fn each_slot(&self, look: impl FnMut(&Arc<Slot>) -> Result<(), Error>) -> Result<(), Error> {
        self.parts().slots().try_for_each(look)
    }

    /// Whether its configuration is that one, and the secrets in files are what they were.
    pub(crate) fn is_configured(&self, config: &PipelineConfig) -> bool {
        let parts = self.parts();
        parts.config == *config && !parts.slots().any(|slot| slot.has_other_secrets())
    }

    /// Begins its work, unless it runs; `greet` tells a slot which plugins serve.
    pub(crate) fn start(&self, greet: impl Fn(&Slot)) -> Result<(), Error> {
        let standing = self.changing.lock();
        if *standing == Standing::Gone {
            return Err(ApiMisuse::NoPipeline(self.name.clone()).into());
        }
        let parts = self.parts();
        if *self.state.lock() == PipelineState::Stopped {
            parts.slots().for_each(|slot| greet(slot));
            if parts.source_slots().iter().any(|slot| !slot.wait_until_idle(Instant::now())) {
                // It may still send, behind what was dropped.
                return Err(ApiMisuse::busy(&*self.name, "stopped").into());
            }
            parts.sources.values().for_each(|(_, inlet)| inlet.begin_again());
            for (slot, outlet) in parts.sinks.values() {
                outlet.queue.set_mode(Mode::Open);
                slot.begin()?;
            }
        }
        self.resume_sources(&parts)
    }

    /// Ends its sources; its sinks go on.
    pub(crate) fn halt(&self, deadline: Instant) {
        let _changing = self.changing.lock();
        if *self.state.lock() == PipelineState::Running {
            *self.state.lock() = PipelineState::Halted;
            end_all(&self.parts().source_slots(), deadline);
        }
    }

    /// Starts its sources again, if it is halted.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        let _changing = self.changing.lock();
        if *self.state.lock() == PipelineState::Halted { self.resume_sources(&self.parts()) } else { Ok(()) }
    }

    fn resume_sources(&self, parts: &Parts) -> Result<(), Error> {
        for (slot, _) in parts.sources.values() {
            slot.begin()?;
        }
        *self.state.lock() = PipelineState::Running;
        Ok(())
    }

    /// Ends its sources, then its sinks when their queues are empty, or the deadline has come. What is left then is dropped,
    /// as sources that keep marks send it again.
    pub(crate) fn stop(&self, deadline: Instant) {
        let _changing = self.changing.lock();
        self.end(deadline);
    }

    /// As [`stop`](Self::stop), and whoever still has it cannot start it again.
    pub(crate) fn leave(&self, deadline: Instant) {
        let mut standing = self.changing.lock();
        *standing = Standing::Gone;
        self.end(deadline);
    }

    fn end(&self, deadline: Instant) {
        if *self.state.lock() == PipelineState::Stopped {
            return;
        }
        *self.state.lock() = PipelineState::Stopping;
        let parts = self.parts();
        end_all(&parts.source_slots(), deadline);
        let sinks: Vec<_> = parts.sinks.values().cloned().collect();
        drain(&sinks, deadline);
        sinks.iter().for_each(|(_, outlet)| outlet.clear(&self.flow.points));
        self.flush();
        *self.state.lock() = PipelineState::Stopped;
    }

    /// Makes its queues and the marks of its sources durable.
    pub(crate) fn flush(&self) {
        let parts = self.parts();
        parts.sinks.values().for_each(|(_, outlet)| outlet.queue.flush());
        parts.sources.values().for_each(|(slot, inlet)| write_marks(slot, inlet));
    }

    /// Whether all its sources have nothing more to send, and its sinks nothing more to take.
    pub(crate) fn is_done(&self) -> bool {
        let parts = self.parts();
        parts.sources.values().all(|(slot, _)| slot.now().state == EndpointState::Done)
            && parts.sinks.values().all(|(_, outlet)| outlet.queue.held() == 0)
    }

    pub(crate) fn view(&self) -> PipelineView {
        let mut view = PipelineView::new(&self.name, *self.state.lock());
        view.received = self.flow.received.get();
        view.dropped = self.flow.drops.view();
        view.routed = self.flow.routed.get();
        let parts = self.parts();
        for (slot, inlet) in parts.sources.values() {
            let SlotNow { state, reason, restarts } = slot.now();
            let mut source = SourceView::new(&slot.name, &slot.uses, state);
            (source.reason, source.restarts, source.sent) = (reason, restarts, inlet.sent.get());
            view.sources.push(source);
        }
        for (slot, outlet) in parts.sinks.values() {
            let SlotNow { state, reason, restarts } = slot.now();
            let QueueConfig { policy, capacity, memory, .. } = outlet.queue.config();
            let mut sink = SinkView::new(&slot.name, &slot.uses, state, policy.name(), capacity);
            (sink.reason, sink.restarts, sink.memory) = (reason, restarts, memory);
            // What is under way between these counts is seen as not delivered yet.
            (sink.delivered, sink.dropped) = (outlet.delivered.get(), outlet.drops.view());
            sink.disk = outlet.queue.disk();
            if let Some(lost) = sink.disk.as_ref().map(|disk| disk.lost).filter(|lost| *lost > 0) {
                *sink.dropped.entry(DropKind::Fault.name().into()).or_default() += lost;
            }
            sink.held_bytes = outlet.queue.held_bytes();
            (sink.held, sink.given) = (outlet.queue.held() as u64, outlet.given.get());
            view.sinks.push(sink);
        }
        view
    }
}

/// Whether a pipeline is one of the host's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    Gone,
    #[default]
    There,
}

/// Ends endpoints, and waits until they have ended.
fn end_all(slots: &[Arc<Slot>], deadline: Instant) {
    slots.iter().for_each(|slot| slot.end());
    for slot in slots {
        if !slot.wait_until_idle(deadline) {
            let kind = slot.way.kind().name();
            log!(error, "{}: its {kind} was told to end, and does not return", slot.path);
        }
    }
}

/// Ends sinks when their queues are empty, or the deadline has come.
fn drain(sinks: &[(Arc<Slot>, Arc<Outlet>)], deadline: Instant) {
    sinks.iter().for_each(|(_, outlet)| outlet.queue.set_mode(Mode::Draining));
    while sinks.iter().any(|(_, outlet)| !outlet.queue.is_drained()) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    sinks.iter().for_each(|(slot, _)| slot.end());
    let end = Instant::now() + END;
    for (slot, outlet) in sinks {
        if !slot.wait_until_idle(end) {
            log!(error, "{}: its sink was told to end, and does not return", slot.path);
        }
        outlet.queue.set_mode(Mode::Closed);
    }
}

fn write_marks(slot: &Slot, inlet: &Inlet) {
    if let Err(error) = inlet.marks.write() {
        log!(error, "{}: its marks cannot be written, so it will send messages again: {error}", slot.path);
    }
}

/// Whether a queue can go on with that configuration, and what is in it.
fn is_same_kind(old: &QueueConfig, new: &QueueConfig) -> bool {
    old.policy == new.policy && old.key == new.key
}

//! One pipeline: its slots, and what they share.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::name::is_plain;
use hookrail_engine::Endpoints;
use hookrail_model::error::{ConfigError, Error};
use hookrail_model::log;
use hookrail_model::pipeline::{PipelineConfig, PipelineState, PipelineView, SinkView, SourceView};
use parking_lot::Mutex;

use crate::counts::{Count, Drops};
use crate::flow::{Flow, Outlet, Points};
use crate::marks::Marks;
use crate::own::Own;
use crate::queue::{Mode, Queue};
use crate::route::Routes;
use crate::slot::{Slot, SlotNow, Way};
use crate::source::Inlet;
use crate::topic::Pattern;

/// How long sinks have to end when their queues are empty, or nobody waits for that any more.
const END: Duration = Duration::from_secs(1);
/// From one look to the next, while queues are being emptied.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Pipeline {
    name: String,
    flow: Arc<Flow>,
    sources: Vec<(Arc<Slot>, Arc<Inlet>)>,
    sinks: Vec<(Arc<Slot>, Arc<Outlet>)>,
    /// Held while it is changed, and read by `view`.
    state: Mutex<PipelineState>,
    changing: Mutex<()>,
}

impl Pipeline {
    pub(crate) fn new(
        name: &str,
        config: &PipelineConfig,
        points: &Arc<Points>,
        own: &Own,
        home: &Path,
    ) -> Result<Self, Error> {
        check(name, config)?;
        let mut routes = Routes::default();
        let mut outlets = Vec::new();
        for (sink_name, sink) in &config.sinks {
            let invalid =
                |why: String| ConfigError::invalid_value(format!("pipelines.{name}.sinks.{sink_name}.topics"), why);
            let topics: Result<Vec<Pattern>, _> = sink.topics.iter().map(|topic| topic.parse()).collect();
            let topics = topics.map_err(|why: crate::topic::InvalidPattern| invalid(why.to_string()))?;
            routes.add(&topics, sink.headers.clone());
            outlets.push(Arc::new(Outlet::new(Queue::new(sink.queue.clone()))));
        }
        let (received, routed, drops) = (Count::default(), Count::default(), Drops::default());
        let flow = Arc::new(Flow { points: points.clone(), routes, outlets, received, routed, drops });
        let mut sources = Vec::new();
        for (source_name, source) in &config.sources {
            let file = home.join("marks").join(name).join(format!("{source_name}.json"));
            let marks = Marks::open(file.clone());
            let doing = || format!("read the marks of {name}/{source_name} in {}", file.display());
            let marks = marks.map_err(|why| Error::system(doing(), why))?;
            let inlet = Arc::new(Inlet::new(Arc::new(marks)));
            let what = (&*source.uses, &source.config);
            sources.push((Slot::new(name, source_name, what, Way::Source(inlet.clone()), &flow, own), inlet));
        }
        let mut sinks = Vec::new();
        for ((sink_name, sink), outlet) in config.sinks.iter().zip(&flow.outlets) {
            let what = (&*sink.uses, &sink.config);
            sinks.push((Slot::new(name, sink_name, what, Way::Sink(outlet.clone()), &flow, own), outlet.clone()));
        }
        let (state, changing) = (Mutex::new(PipelineState::Stopped), Mutex::default());
        Ok(Pipeline { name: name.into(), flow, sources, sinks, state, changing })
    }

    /// All slots: sinks first, so that they are there when the first message comes.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.sinks.iter().map(|(slot, _)| slot).chain(self.sources.iter().map(|(slot, _)| slot))
    }

    /// Begins its work, unless it runs.
    pub(crate) fn start(&self, serving: &[Arc<Endpoints>]) -> Result<(), Error> {
        let _changing = self.changing.lock();
        if *self.state.lock() != PipelineState::Stopped {
            return self.resume_sources();
        }
        // What was accepted and does not serve yet, is refused now, before anything runs.
        for slot in self.slots() {
            serving.iter().for_each(|endpoints| slot.serve(endpoints));
        }
        for (_, inlet) in &self.sources {
            inlet.begin_again();
        }
        for (slot, outlet) in &self.sinks {
            outlet.queue.set_mode(Mode::Open);
            slot.begin()?;
        }
        self.resume_sources()
    }

    /// Ends its sources; its sinks go on.
    pub(crate) fn halt(&self, deadline: Instant) {
        let _changing = self.changing.lock();
        if *self.state.lock() == PipelineState::Running {
            *self.state.lock() = PipelineState::Halted;
            self.end_sources(deadline);
        }
    }

    /// Starts its sources again, if it is halted.
    pub(crate) fn resume(&self) -> Result<(), Error> {
        let _changing = self.changing.lock();
        if *self.state.lock() == PipelineState::Halted { self.resume_sources() } else { Ok(()) }
    }

    fn resume_sources(&self) -> Result<(), Error> {
        for (slot, _) in &self.sources {
            slot.begin()?;
        }
        *self.state.lock() = PipelineState::Running;
        Ok(())
    }

    fn end_sources(&self, deadline: Instant) {
        self.sources.iter().for_each(|(slot, _)| slot.end());
        for (slot, _) in &self.sources {
            if !slot.wait_until_idle(deadline) {
                log!(error, "{}: its source was told to end, and does not return", slot.path);
            }
        }
    }

    /// Ends its sources, then its sinks when their queues are empty, or the deadline has come. What is left then is dropped,
    /// as sources that keep marks send it again.
    pub(crate) fn stop(&self, deadline: Instant) {
        let _changing = self.changing.lock();
        if *self.state.lock() == PipelineState::Stopped {
            return;
        }
        *self.state.lock() = PipelineState::Stopping;
        self.end_sources(deadline);
        self.sinks.iter().for_each(|(_, outlet)| outlet.queue.set_mode(Mode::Draining));
        while self.sinks.iter().any(|(_, outlet)| outlet.queue.held() > 0) && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        self.sinks.iter().for_each(|(slot, _)| slot.end());
        let end = Instant::now() + END;
        for (slot, outlet) in &self.sinks {
            if !slot.wait_until_idle(end) {
                log!(error, "{}: its sink was told to end, and does not return", slot.path);
            }
            outlet.queue.set_mode(Mode::Closed);
            outlet.clear(&self.flow.points);
        }
        self.write_marks();
        *self.state.lock() = PipelineState::Stopped;
    }

    /// Makes the marks of its sources durable.
    pub(crate) fn write_marks(&self) {
        for (slot, inlet) in &self.sources {
            if let Err(error) = inlet.marks.write() {
                log!(error, "{}: its marks cannot be written, so it will send messages again: {error}", slot.path);
            }
        }
    }

    /// Whether all its sources have nothing more to send, and its sinks nothing more to take.
    pub(crate) fn is_done(&self) -> bool {
        self.sources.iter().all(|(slot, _)| slot.now().state == hookrail_model::pipeline::EndpointState::Done)
            && self.sinks.iter().all(|(_, outlet)| outlet.queue.held() == 0)
    }

    pub(crate) fn view(&self) -> PipelineView {
        let mut view = PipelineView::new(&self.name, *self.state.lock());
        view.received = self.flow.received.get();
        view.dropped = self.flow.drops.view();
        view.routed = self.flow.routed.get();
        for (slot, inlet) in &self.sources {
            let SlotNow { state, reason, restarts } = slot.now();
            let mut source = SourceView::new(&slot.name, &slot.uses, state);
            (source.reason, source.restarts, source.sent) = (reason, restarts, inlet.sent.get());
            view.sources.push(source);
        }
        for (slot, outlet) in &self.sinks {
            let SlotNow { state, reason, restarts } = slot.now();
            let mut sink = SinkView::new(&slot.name, &slot.uses, state, outlet.queue.config().clone());
            (sink.reason, sink.restarts) = (reason, restarts);
            // What is under way between these counts is seen as not delivered yet.
            (sink.delivered, sink.dropped) = (outlet.delivered.get(), outlet.drops.view());
            (sink.held, sink.given) = (outlet.queue.held() as u64, outlet.given.get());
            view.sinks.push(sink);
        }
        view
    }
}

/// Refuses what can never run.
fn check(name: &str, config: &PipelineConfig) -> Result<(), Error> {
    let invalid = |key: String, why: &str| Err(ConfigError::invalid_value(key, why).into());
    let key = format!("pipelines.{name}");
    let named =
        config.sources.keys().map(|name| ("sources", name)).chain(config.sinks.keys().map(|name| ("sinks", name)));
    for (kind, of) in named.clone() {
        if !is_plain(of) || of.starts_with('.') {
            return invalid(
                format!("{key}.{kind}.{of}"),
                "has a name that is not made of letters, digits, `-`, `_` and `.`",
            );
        }
    }
    if !is_plain(name) || name.starts_with('.') {
        return invalid(key, "has a name that is not made of letters, digits, `-`, `_` and `.`");
    }
    if config.sources.is_empty() || config.sinks.is_empty() {
        return invalid(
            key,
            "needs at least one source and one sink: [pipelines.NAME.sources.NAME], [pipelines.NAME.sinks.NAME]",
        );
    }
    let uses = config.sources.values().map(|source| &source.uses).chain(config.sinks.values().map(|sink| &sink.uses));
    for ((kind, of), uses) in named.zip(uses) {
        if uses.is_empty() {
            return invalid(format!("{key}.{kind}.{of}"), "needs `use`: the plugin whose source or sink it is");
        }
    }
    for (of, sink) in &config.sinks {
        if sink.queue.capacity == 0 {
            return invalid(format!("{key}.sinks.{of}.queue.capacity"), "is 0: a queue needs room for one message");
        }
    }
    Ok(())
}

//! The bus of a host: messages from any plugin to any other, by topic and headers.
//!
//! 1. A plugin opens an end that publishes, or one that receives: [`service`].
//! 2. What is published takes the way that it takes in a pipeline, but from subscription to subscription: [`Flow`].
//! 3. An instance that is stopped has its subscriptions ended. If a newer generation has subscribed by the same name, that
//!    one is the heir: it gets what is left, and what comes late.

pub(crate) mod ends;
pub(crate) mod service;
mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;

use hookrail_model::bus::{BusView, SubscriptionView};
use parking_lot::Mutex;

use crate::flow::{Flow, Routing, WaitsFor};
use crate::marks::Marks;
use crate::outlet::Outlet;
use crate::points::Points;
use crate::queue::{Mode, Queue};
use crate::source::Inlet;
use spec::Spec;

/// The bus of a host.
#[derive(Debug)]
pub(crate) struct Bus {
    flow: Arc<Flow>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// By instance and name. The first of each gets messages; the others are newer generations, which wait for it to end.
    subscriptions: BTreeMap<(String, String), Vec<Arc<Subscription>>>,
    publishers: Vec<Arc<Inlet>>,
}

/// One subscription of one generation of an instance.
#[derive(Debug)]
struct Subscription {
    instance: String,
    /// Of the instance.
    generation: usize,
    spec: Spec,
    outlet: Arc<Outlet>,
}

impl Bus {
    pub(crate) fn new(points: &Arc<Points>) -> Self {
        Bus { flow: Arc::new(Flow::new(points, WaitsFor::Wanted)), state: Mutex::default() }
    }

    fn subscribe(&self, instance: &str, generation: usize, spec: Spec) -> Result<Arc<Subscription>, String> {
        let key = (instance.to_owned(), spec.name.clone());
        let mut state = self.state.lock();
        if state.is_closed {
            return Err("the bus has ended".into());
        }
        let same = state.subscriptions.entry(key).or_default();
        if same.iter().any(|known| known.generation == generation) {
            return Err(format!("it has a subscription named `{}` already", spec.name));
        }
        let outlet = Arc::new(Outlet::new(format!("{instance}/{}", spec.name), Queue::new(spec.queue.clone(), None)));
        let subscription = Arc::new(Subscription { instance: instance.into(), generation, spec, outlet });
        same.push(subscription.clone());
        self.route(&state);
        Ok(subscription)
    }

    /// Ends one: who waits for it wakes, and what it has not given is its heir's, or dropped.
    fn unsubscribe(&self, ended: &Arc<Subscription>) {
        let key = (ended.instance.clone(), ended.spec.name.clone());
        let mut state = self.state.lock();
        let Some(same) = state.subscriptions.get_mut(&key) else { return };
        let Some(place) = same.iter().position(|known| Arc::ptr_eq(known, ended)) else { return };
        same.remove(place);
        match same.first() {
            Some(heir) if place == 0 => ended.outlet.set_heir(&heir.outlet),
            Some(_) => {}
            None => _ = state.subscriptions.remove(&key),
        }
        self.route(&state);
        drop(state);
        self.end(ended);
    }

    fn end(&self, ended: &Subscription) {
        ended.outlet.leave();
        ended.outlet.queue.set_mode(Mode::Closed);
        ended.outlet.clear(&self.flow.points);
    }

    /// From the next batch on, messages go to those that are subscribed now.
    fn route(&self, state: &State) {
        let mut routing = Routing::default();
        for first in state.subscriptions.values().filter_map(|same| same.first()) {
            routing.routes.add(&first.spec.topics, first.spec.headers.clone());
            routing.outlets.push(first.outlet.clone());
        }
        self.flow.set_routing(routing);
    }

    fn publish(&self) -> Result<Arc<Inlet>, String> {
        let inlet = Arc::new(Inlet::new(Arc::new(Marks::in_memory())));
        let mut state = self.state.lock();
        if state.is_closed {
            return Err("the bus has ended".into());
        }
        state.publishers.push(inlet.clone());
        Ok(inlet)
    }

    fn unpublish(&self, ended: &Arc<Inlet>) {
        self.state.lock().publishers.retain(|known| !Arc::ptr_eq(known, ended));
        self.end_publisher(ended);
    }

    fn end_publisher(&self, ended: &Inlet) {
        ended.close(true);
        self.flow.routing().outlets.iter().for_each(|outlet| outlet.queue.wake());
    }

    /// Ends all of it. What waits is dropped.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        let (subscriptions, publishers) =
            (std::mem::take(&mut state.subscriptions), std::mem::take(&mut state.publishers));
        self.route(&state);
        drop(state);
        publishers.iter().for_each(|publisher| self.end_publisher(publisher));
        subscriptions.values().flatten().for_each(|subscription| self.end(subscription));
    }

    pub(crate) fn view(&self) -> BusView {
        let subscriptions: Vec<_> = self.state.lock().subscriptions.values().flatten().cloned().collect();
        let mut view = BusView::default();
        view.received = self.flow.received.get();
        view.routed = self.flow.routed.get();
        view.dropped = self.flow.drops.view();
        view.subscriptions = subscriptions.iter().map(|subscription| subscription.view()).collect();
        view
    }
}

impl Subscription {
    fn view(&self) -> SubscriptionView {
        let (spec, outlet) = (&self.spec, &self.outlet);
        let mut view = SubscriptionView::default();
        view.instance.clone_from(&self.instance);
        view.name.clone_from(&spec.name);
        view.topics = spec.topics.iter().map(ToString::to_string).collect();
        view.headers.clone_from(&spec.headers);
        view.queue = spec.queue.clone();
        view.given = outlet.given.get();
        view.delivered = outlet.delivered.get();
        view.dropped = outlet.drops.view();
        view.held = outlet.queue.held() as u64;
        view
    }
}

//! The path of messages through one pipeline: from a source through the chain of `message.publish` to the queues.

use std::cell::Cell;
use std::mem::{swap, take};
use std::sync::Arc;
use std::time::Instant;

use hookrail_abi::{Decision, DropKind, Message};
use parking_lot::Mutex;

use crate::counts::{Count, Drops};
use crate::item::{Item, Kept, Refused};
use crate::outlet::{NotSent, Outlet};
use crate::points::Points;
use crate::receipt::{Receipt, Tracker};
use crate::route::Routes;
use crate::source::Inlet;
use crate::topic::Cache;

/// What the sources and the sinks of one pipeline share.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) points: Arc<Points>,
    waits_for: WaitsFor,
    routing: Mutex<Arc<Routing>>,
    pub(crate) received: Count,
    pub(crate) routed: Count,
    /// Of those that reached no queue.
    pub(crate) drops: Drops,
}

/// For whose room a source waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// That of all queues which block: a pipeline is as fast as the slowest of its sinks.
    All,
    /// That of those which want its messages: on a bus nobody waits for a subscription that has nothing to do with it. And
    /// nobody waits for a queue that it is to empty itself.
    Wanted,
}

/// The sinks of a pipeline, and what each of them wants.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    pub(crate) routes: Routes,
    /// By the numbers of the routes.
    pub(crate) outlets: Vec<Arc<Outlet>>,
}

/// Messages of a source, which are left empty once they are sent.
pub(crate) struct Batch<'a> {
    pub(crate) messages: &'a mut [Message],
    pub(crate) from: &'a Inlet,
    pub(crate) tracker: &'a Arc<Tracker>,
    pub(crate) mark: Option<(String, String)>,
    /// Until when to wait for room.
    pub(crate) deadline: Option<Instant>,
}

/// What a source needs to send, and uses again and again.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// What goes to each sink; empty between two calls.
    batches: Vec<Vec<Item>>,
    topics: Cache<usize>,
    found: Vec<usize>,
    /// Whose room was waited for, in ascending order, unless it was that of all.
    waited_for: Vec<usize>,
    refused: Vec<Refused>,
    /// Emptied messages, to be filled again.
    spares: Vec<Arc<Message>>,
}

/// That this thread is sending, until it is dropped.
pub(crate) struct Sends(());

/// How deep sending may be nested: callbacks may publish, and are called for what they publish.
const DEPTH: u32 = 4;

thread_local! {
    /// How deep this thread is.
    static SENDING: Cell<u32> = const { Cell::new(0) };
}

impl Sends {
    /// `None` if this thread is too deep already.
    pub(crate) fn begin() -> Option<Self> {
        let depth = SENDING.get();
        (depth < DEPTH).then(|| {
            SENDING.set(depth + 1);
            Sends(())
        })
    }
}

impl Drop for Sends {
    fn drop(&mut self) {
        SENDING.set(SENDING.get() - 1);
    }
}

impl Flow {
    pub(crate) fn new(points: &Arc<Points>, waits_for: WaitsFor) -> Self {
        let (received, routed, drops) = (Count::default(), Count::default(), Drops::default());
        Flow { points: points.clone(), waits_for, routing: Mutex::default(), received, routed, drops }
    }

    /// Where messages go now.
    pub(crate) fn routing(&self) -> Arc<Routing> {
        self.routing.lock().clone()
    }

    /// From the next batch on messages go there.
    ///
    /// Returns where they went, which whoever sends now still holds.
    pub(crate) fn set_routing(&self, routing: Routing) -> Arc<Routing> {
        std::mem::replace(&mut *self.routing.lock(), Arc::new(routing))
    }

    /// Sends messages, once there is room for them: each is decided by the chain, and given to the sinks that want it. All
    /// of them, or none.
    pub(crate) fn send(&self, sending: &mut Sending, batch: Batch<'_>) -> Result<(), NotSent> {
        let routing = self.wait_for_room(sending, &batch)?;
        let Batch { messages, from, tracker, mark, deadline } = batch;
        from.sent.add(messages.len());
        sending.batches.resize_with(routing.outlets.len(), Vec::new);
        let mut receipt = tracker.begin(mark, messages.len() * routing.outlets.len());
        tracker.spares.take(&mut sending.spares);
        self.received.add(messages.len());
        for message in messages {
            let outcome = self.points.publish.dispatch(message);
            if let Decision::Denied(_) = outcome.decision() {
                self.drops.add(DropKind::Denied);
                self.points.dropped(take(message), DropKind::Denied, Some(&outcome), "");
                continue;
            }
            self.route(&routing.routes, sending, message, &mut receipt);
        }
        for (number, outlet) in routing.outlets.iter().enumerate() {
            if sending.batches[number].is_empty() {
                continue;
            }
            // Nobody has waited for those that want a message only as a callback has left it.
            let has_room = self.waits_for == WaitsFor::All
                || sending.waited_for.binary_search(&number).is_ok()
                || outlet.wait_for_room(deadline, from).is_ok();
            let (batch, refused) = (&mut sending.batches[number], &mut sending.refused);
            match has_room {
                true => outlet.put(&self.points, batch, refused),
                false => outlet.refuse(&self.points, batch),
            }
        }
        receipt.settle();
        Ok(())
    }

    /// Waits until there is room for messages, and returns where they go.
    fn wait_for_room(&self, sending: &mut Sending, batch: &Batch<'_>) -> Result<Arc<Routing>, NotSent> {
        loop {
            let routing = self.routing();
            match self.waits_for {
                WaitsFor::All => {
                    for outlet in &routing.outlets {
                        if !outlet.queue.wait_for_room(batch.deadline, || batch.from.is_closed()) {
                            return Err(NotSent::of(batch.from));
                        }
                    }
                }
                WaitsFor::Wanted => {
                    sending.find_blocking(&routing, batch.messages);
                    for number in &sending.waited_for {
                        routing.outlets[*number].wait_for_room(batch.deadline, batch.from)?;
                    }
                }
            }
            // What has changed meanwhile is waited for, too.
            if Arc::ptr_eq(&routing, &self.routing()) {
                return Ok(routing);
            }
        }
    }

    fn route(&self, routes: &Routes, sending: &mut Sending, message: &mut Message, receipt: &mut Receipt) {
        routes.find(message, &mut sending.topics, &mut sending.found);
        if sending.found.is_empty() {
            self.drops.add(DropKind::Unrouted);
            self.points.dropped(take(message), DropKind::Unrouted, None, "no sink wants its topic and its headers");
            return;
        }
        self.routed.add(1);
        let mut shared = sending.spares.pop().unwrap_or_default();
        // The source gets what is empty, and may have memory that it can fill.
        swap(Arc::get_mut(&mut shared).expect("nobody else has what is spare"), message);
        let Some((last, others)) = sending.found.split_last() else { return };
        for number in others {
            sending.batches[*number].push(Item::new(shared.clone(), Kept::Source(receipt.split())));
        }
        sending.batches[*last].push(Item::new(shared, Kept::Source(receipt.split())));
    }
}

impl Sending {
    /// Finds those whose queues block among the outlets that want some of the messages.
    fn find_blocking(&mut self, routing: &Routing, messages: &[Message]) {
        let Sending { topics, found, waited_for, .. } = self;
        waited_for.clear();
        if !routing.outlets.iter().any(|outlet| outlet.queue.blocks()) {
            return;
        }
        for message in messages {
            routing.routes.find(message, topics, found);
            waited_for.extend(found.iter().filter(|number| routing.outlets[**number].queue.blocks()));
        }
        waited_for.sort_unstable();
        waited_for.dedup();
    }
}

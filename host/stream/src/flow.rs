//! The path of messages through one pipeline: from a source through the chain of `message.publish` to the queues, and from
//! a queue to its sink.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::{swap, take};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{Decision, DropKind, Dropped, Message};
use hookrail_dispatch::{HookPoint, Outcome};
use hookrail_engine::{Denial, DroppedContent, Host};
use hookrail_model::error::Error;
use parking_lot::Mutex;

use crate::counts::{Count, Drops};
use crate::item::{Answered, Item, Kept, Refused, Settled};
use crate::queue::Queue;
use crate::receipt::{Receipt, Tracker};
use crate::route::Routes;
use crate::topic::Cache;

/// The points that messages pass.
#[derive(Debug)]
pub(crate) struct Points {
    pub(crate) publish: HookPoint<MessagePublish>,
    delivered: HookPoint<MessageDelivered>,
    dropped: HookPoint<MessageDropped>,
    is_withheld: bool,
}

/// What the sources and the sinks of one pipeline share.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) points: Arc<Points>,
    routing: Mutex<Arc<Routing>>,
    pub(crate) received: Count,
    pub(crate) routed: Count,
    /// Of those that reached no queue.
    pub(crate) drops: Drops,
}

/// The sinks of a pipeline, and what each of them wants.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    pub(crate) routes: Routes,
    /// By the numbers of the routes.
    pub(crate) outlets: Vec<Arc<Outlet>>,
}

/// The way to one sink.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) queue: Queue,
    pub(crate) given: Count,
    pub(crate) delivered: Count,
    pub(crate) drops: Drops,
    /// Whether its sink is no more part of a pipeline that goes on.
    is_gone: AtomicBool,
    /// Who gets what is left, and what comes late.
    heir: OnceLock<Arc<Outlet>>,
}

/// What a source needs to send, and uses again and again.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// What goes to each sink; empty between two calls.
    batches: Vec<Vec<Item>>,
    topics: Cache<usize>,
    found: Vec<usize>,
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

impl Points {
    pub(crate) fn of(host: &Host) -> Result<Self, Error> {
        Ok(Points {
            publish: host.point(MessagePublish)?,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            is_withheld: host.config().message.dropped != DroppedContent::Raw,
        })
    }

    /// Has the callbacks of `message.dropped` told.
    fn dropped(&self, message: Message, kind: DropKind, outcome: Option<&Outcome>, why: &str) {
        if !self.dropped.is_hooked() {
            return;
        }
        let denial = outcome.and_then(Denial::of);
        let mut dropped = match &denial {
            Some(denial) => {
                let (by, reason) = (denial.by.as_deref().unwrap_or_default(), denial.reason.as_deref());
                Dropped::denied(message, by, denial.code, reason.unwrap_or_default())
            }
            None => Dropped::new(message, kind),
        };
        if denial.is_none() {
            dropped.reason.set(why);
        }
        if self.is_withheld {
            dropped.withhold();
        }
        let _ = self.dropped.dispatch(&mut dropped);
    }
}

impl Flow {
    pub(crate) fn new(points: &Arc<Points>) -> Self {
        let (received, routed, drops) = (Count::default(), Count::default(), Drops::default());
        Flow { points: points.clone(), routing: Mutex::default(), received, routed, drops }
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

    /// Waits until each queue that blocks has room; see [`Queue::wait_for_room`].
    pub(crate) fn wait_for_room(&self, deadline: Option<Instant>, is_over: impl Fn() -> bool) -> bool {
        self.routing().outlets.iter().all(|outlet| outlet.queue.wait_for_room(deadline, &is_over))
    }

    /// Sends messages, which are left empty: each is decided by the chain, and given to the sinks that want it. Waits while
    /// a queue that blocks is full.
    pub(crate) fn send(
        &self,
        sending: &mut Sending,
        messages: &mut [Message],
        tracker: &Arc<Tracker>,
        mark: Option<(String, String)>,
    ) {
        let routing = self.routing();
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
        for (outlet, batch) in routing.outlets.iter().zip(&mut sending.batches) {
            if !batch.is_empty() {
                outlet.put(&self.points, batch, &mut sending.refused);
            }
        }
        receipt.settle();
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
            sending.batches[*number].push(Item { message: shared.clone(), kept: Kept::Source(receipt.split()) });
        }
        sending.batches[*last].push(Item { message: shared, kept: Kept::Source(receipt.split()) });
    }
}

impl Outlet {
    pub(crate) fn new(queue: Queue) -> Self {
        let (given, delivered, drops) = (Count::default(), Count::default(), Drops::default());
        // What was on disk.
        given.add(queue.held());
        Outlet { queue, given, delivered, drops, is_gone: AtomicBool::new(false), heir: OnceLock::new() }
    }

    /// From now on that one gets what this one cannot give any more. Before its queue is closed, and once.
    pub(crate) fn set_heir(&self, heir: &Arc<Outlet>) {
        self.heir.set(heir.clone()).expect("it ends once");
    }

    /// From now on what it drops is settled with that: its sink does not come back, and sources are not to wait for it.
    pub(crate) fn leave(&self) {
        // Relaxed: whoever drops something for it was told by its queue, under a lock.
        self.is_gone.store(true, Ordering::Relaxed);
    }

    /// Gives it messages. Uses `refused`, which is empty before and after.
    fn put(&self, points: &Points, batch: &mut Vec<Item>, refused: &mut Vec<Refused>) {
        self.given.add(batch.len());
        self.queue.put(batch, refused);
        self.drop_all(points, refused);
    }

    /// The oldest `count` of what was taken are delivered.
    pub(crate) fn deliver(&self, points: &Points, taken: &mut VecDeque<Item>, count: usize) {
        let (is_hooked, mut answered, mut settled) =
            (points.delivered.is_hooked(), Answered::default(), Settled::default());
        for mut item in taken.drain(..count) {
            if is_hooked {
                match Arc::get_mut(&mut item.message) {
                    Some(message) => _ = points.delivered.dispatch(message),
                    // Another sink has it, too.
                    None => _ = points.delivered.dispatch(&mut Message::clone(&item.message)),
                }
            }
            answered.add(&item);
            settled.add(item);
        }
        settled.give_back();
        self.delivered.add(count);
        self.queue.answered(&answered);
    }

    /// The oldest `count` of what was taken never can be delivered.
    pub(crate) fn reject(&self, points: &Points, taken: &mut VecDeque<Item>, count: usize, why: &str) {
        let mut answered = Answered::default();
        for item in taken.drain(..count) {
            answered.add(&item);
            self.drop(points, item, DropKind::Fault, why);
        }
        self.queue.answered(&answered);
    }

    /// What was taken and not answered for is given to the sink again.
    pub(crate) fn put_back(&self, points: &Points, taken: &mut VecDeque<Item>) {
        let mut refused = Vec::new();
        self.queue.put_back(taken, &mut refused);
        self.drop_all(points, &mut refused);
        // It comes late, and nobody will take it.
        if self.queue.is_closed() {
            self.clear(points);
        }
    }

    /// What another one has left comes first here.
    pub(crate) fn adopt(&self, points: &Points, left: &Outlet) {
        self.take_over(points, left.queue.clear());
    }

    fn take_over(&self, points: &Points, left: Vec<Item>) {
        let mut refused = Vec::new();
        self.given.add(left.len());
        self.queue.adopt(left, &mut refused);
        self.drop_all(points, &mut refused);
        // It comes late, and goes on to the next.
        if self.queue.is_closed() {
            self.clear(points);
        }
    }

    /// Drops what is left, once the queue is closed, unless there is an heir.
    pub(crate) fn clear(&self, points: &Points) {
        if let Some(heir) = self.heir.get() {
            return heir.take_over(points, self.queue.clear());
        }
        let mut left = self.queue.clear().into_iter().map(|item| (item, DropKind::Shutdown)).collect();
        self.drop_all(points, &mut left);
    }

    fn drop_all(&self, points: &Points, refused: &mut Vec<Refused>) {
        let mut late = Vec::new();
        for (item, kind) in refused.drain(..) {
            if kind == DropKind::Shutdown && self.heir.get().is_some() {
                late.push(item);
            } else {
                self.drop(points, item, kind, "");
            }
        }
        if let Some(heir) = self.heir.get().filter(|_| !late.is_empty()) {
            heir.put(points, &mut late, refused);
        }
    }

    fn drop(&self, points: &Points, item: Item, kind: DropKind, why: &str) {
        self.drops.add(kind);
        let Item { message, kept } = item;
        if points.dropped.is_hooked() {
            points.dropped(Arc::unwrap_or_clone(message), kind, None, why);
        }
        // What a shutdown has dropped, its source is to send again.
        if let Kept::Source(receipt) = kept
            && (kind != DropKind::Shutdown || self.is_gone.load(Ordering::Relaxed))
        {
            receipt.settle();
        }
    }
}

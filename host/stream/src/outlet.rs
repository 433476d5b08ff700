//! The way to one sink: from the queue on, and what becomes of messages there.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use hookrail_abi::{DropKind, Message};
use hookrail_model::log;

use crate::counts::{Count, Drops};
use crate::item::{Answered, Item, Kept, Refused, Settled};
use crate::points::Points;
use crate::queue::Queue;
use crate::source::Inlet;

/// The way to one sink.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// For whoever reads the log.
    name: String,
    pub(crate) queue: Queue,
    pub(crate) given: Count,
    pub(crate) delivered: Count,
    pub(crate) drops: Drops,
    /// Whether it was told that somebody would wait for itself.
    is_told: AtomicBool,
    /// Whether its sink is no more part of a pipeline that goes on.
    is_gone: AtomicBool,
    /// Who gets what is left, and what comes late.
    heir: OnceLock<Arc<Outlet>>,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// The source is to end.
    Closed,
    /// There was no room in time.
    NoRoom,
    /// There will be none while this thread waits, since it is to empty the queue.
    OwnQueue,
}

impl Outlet {
    pub(crate) fn new(name: impl Into<String>, queue: Queue) -> Self {
        let (given, delivered, drops) = (Count::default(), Count::default(), Drops::default());
        // What was on disk.
        given.add(queue.held());
        let (is_told, is_gone) = (AtomicBool::new(false), AtomicBool::new(false));
        Outlet { name: name.into(), queue, given, delivered, drops, is_told, is_gone, heir: OnceLock::new() }
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

    /// Waits for room, but not for this thread.
    pub(crate) fn wait_for_room(&self, deadline: Option<Instant>, from: &Inlet) -> Result<(), NotSent> {
        if self.queue.waits_for_this_thread() {
            // Relaxed: nothing follows from it but the message.
            if !self.is_told.swap(true, Ordering::Relaxed) {
                log!(
                    warn,
                    "{}: its queue is full and blocks, and what publishes to it is the thread that receives from it, or runs \
                     within that: so it is refused; answer for what was received first, publish on another thread, or \
                     subscribe with a policy that drops",
                    self.name
                );
            }
            return Err(NotSent::OwnQueue);
        }
        let has_room = self.queue.wait_for_room(deadline, || from.is_closed());
        has_room.then_some(()).ok_or_else(|| NotSent::of(from))
    }

    /// Drops messages for which it has no room.
    pub(crate) fn refuse(&self, points: &Points, batch: &mut Vec<Item>) {
        self.given.add(batch.len());
        batch.drain(..).for_each(|item| self.drop(points, item, DropKind::Full, ""));
    }

    /// Gives it messages. Uses `refused`, which is empty before and after.
    pub(crate) fn put(&self, points: &Points, batch: &mut Vec<Item>, refused: &mut Vec<Refused>) {
        self.given.add(batch.len());
        self.queue.put(batch, refused);
        self.drop_all(points, refused);
    }

    /// These, which were taken, are delivered.
    pub(crate) fn deliver(&self, points: &Points, items: &mut VecDeque<Item>) {
        let (is_hooked, mut answered, mut settled) =
            (points.delivered.is_hooked(), Answered::default(), Settled::default());
        for mut item in items.drain(..) {
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
        self.delivered.add(answered.load.messages);
        self.queue.answered(&answered);
    }

    /// These, which were taken, never can be delivered.
    pub(crate) fn reject(&self, points: &Points, items: &mut VecDeque<Item>, why: &str) {
        let mut answered = Answered::default();
        for item in items.drain(..) {
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
        let Item { message, kept, .. } = item;
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

impl NotSent {
    /// The time is over, or the source is.
    pub(crate) fn of(from: &Inlet) -> Self {
        if from.is_closed() { NotSent::Closed } else { NotSent::NoRoom }
    }
}

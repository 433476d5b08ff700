//! Events, for callers that subscribed to them.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use hookrail_dispatch::{Queue, Wake};
use hookrail_model::event::{Event, EventKind};
use parking_lot::Mutex;

use crate::receive::receive;

/// The events of a host from the time of subscribing until the host has been dropped, in a queue of its own.
///
/// When the queue is full, new events are dropped and counted: the host never waits for a reader.
pub struct Events {
    queue: Arc<Queue<Event>>,
}

receive!(Events, Event, "the host has been dropped, and all events were received");

impl Events {
    /// How many were dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    fn queue(&self) -> &Queue<Event> {
        &self.queue
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("queue", &self.queue).finish()
    }
}

/// How many events are queued for one reader.
const CAPACITY: usize = 1024;

/// Sends events to all subscribers.
#[derive(Default)]
pub(crate) struct Announcer {
    subscribers: Mutex<Subscribers>,
}

#[derive(Default)]
struct Subscribers {
    queues: Vec<Weak<Queue<Event>>>,
    is_over: bool,
}

impl Announcer {
    pub(crate) fn subscribe(&self) -> Events {
        let queue = Arc::new(Queue::new(CAPACITY));
        let mut subscribers = self.subscribers.lock();
        if subscribers.is_over {
            queue.close().wake();
        }
        subscribers.queues.retain(|queue| queue.strong_count() > 0);
        subscribers.queues.push(Arc::downgrade(&queue));
        Events { queue }
    }

    pub(crate) fn tell(&self, plugin: &str, generation: u64, what: EventKind) {
        let subscribers = self.subscribers.lock();
        if subscribers.queues.is_empty() || subscribers.is_over {
            return;
        }
        let event = Event::new(plugin, generation, SystemTime::now(), what);
        let queues = subscribers.queues.iter().filter_map(Weak::upgrade);
        // Under the lock, so that all subscribers receive the events in the same order.
        let wakes: Vec<_> = queues.map(|queue| queue.push(event.clone())).collect();
        drop(subscribers);
        wakes.into_iter().for_each(Wake::wake);
    }

    /// There are no more events.
    pub(crate) fn end(&self) {
        let mut subscribers = self.subscribers.lock();
        subscribers.is_over = true;
        let queues = subscribers.queues.iter().filter_map(Weak::upgrade);
        let wakes: Vec<_> = queues.map(|queue| queue.close()).collect();
        drop(subscribers);
        wakes.into_iter().for_each(Wake::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::TryRecvError;

    use super::*;

    #[test]
    fn a_reader_that_does_not_read_loses_events_and_holds_up_nobody() {
        let announcer = Announcer::default();
        let (slow, quick) = (announcer.subscribe(), announcer.subscribe());
        for generation in 0..CAPACITY as u64 + 7 {
            announcer.tell("a", generation, EventKind::Started);
            assert_eq!(quick.try_recv().unwrap().generation, generation);
        }
        assert_eq!((slow.dropped(), quick.dropped()), (7, 0));
        let kept: Vec<_> = slow.try_iter().collect();
        assert_eq!((kept.len(), kept[0].generation), (CAPACITY, 0));
        assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
    }

    #[test]
    fn events_before_the_end_are_received_after_it() {
        let announcer = Announcer::default();
        let early = announcer.subscribe();
        announcer.tell("a", 1, EventKind::Started);
        announcer.end();
        announcer.tell("a", 2, EventKind::Started);
        assert_eq!(early.iter().map(|event| event.generation).collect::<Vec<_>>(), [1]);
        assert_eq!(announcer.subscribe().try_recv(), Err(TryRecvError::Disconnected));
    }
}

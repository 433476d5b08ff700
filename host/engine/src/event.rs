//! Events, for callers that subscribed to them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use hookrail_dispatch::{Condvar, deadline_after};
use hookrail_model::event::{Event, EventKind};
use parking_lot::Mutex;

/// The events of a host from the time of subscribing, in a queue of its own.
///
/// When the queue is full, new events are dropped and counted: the host never waits for a reader.
pub struct Events {
    queue: Arc<Queue>,
}

impl Events {
    /// The next event; waits for it for at most `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<Event> {
        let deadline = deadline_after(timeout);
        let mut waiting = self.queue.waiting.lock();
        self.queue.changed.wait_while(&mut waiting, |waiting| waiting.events.is_empty(), Some(deadline));
        waiting.events.pop_front()
    }

    /// All events that are in the queue now.
    pub fn take(&self) -> Vec<Event> {
        self.queue.waiting.lock().events.drain(..).collect()
    }

    /// How many were dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.queue.waiting.lock().dropped
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.queue.waiting.lock();
        f.debug_struct("Events")
            .field("waiting", &waiting.events.len())
            .field("dropped", &waiting.dropped)
            .finish_non_exhaustive()
    }
}

/// How many events are queued for one reader.
const CAPACITY: usize = 1024;

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    dropped: u64,
}

/// Sends events to all subscribers.
#[derive(Default)]
pub(crate) struct Announcer {
    queues: Mutex<Vec<Weak<Queue>>>,
}

impl Announcer {
    pub(crate) fn subscribe(&self) -> Events {
        let queue = Arc::<Queue>::default();
        let mut queues = self.queues.lock();
        queues.retain(|queue| queue.strong_count() > 0);
        queues.push(Arc::downgrade(&queue));
        Events { queue }
    }

    pub(crate) fn tell(&self, plugin: &str, generation: u64, what: EventKind) {
        let queues = self.queues.lock();
        if queues.is_empty() {
            return;
        }
        let event = Event::new(plugin, generation, SystemTime::now(), what);
        for queue in queues.iter().filter_map(Weak::upgrade) {
            let mut waiting = queue.waiting.lock();
            if waiting.events.len() < CAPACITY {
                waiting.events.push_back(event.clone());
                queue.changed.notify_all();
            } else {
                waiting.dropped += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_does_not_read_loses_events_and_holds_up_nobody() {
        let announcer = Announcer::default();
        let (slow, quick) = (announcer.subscribe(), announcer.subscribe());
        for generation in 0..CAPACITY as u64 + 7 {
            announcer.tell("a", generation, EventKind::Started);
            assert_eq!(quick.wait(Duration::ZERO).unwrap().generation, generation);
        }
        assert_eq!((slow.dropped(), quick.dropped()), (7, 0));
        let kept = slow.take();
        assert_eq!((kept.len(), kept[0].generation), (CAPACITY, 0));
        assert_eq!(slow.wait(Duration::ZERO), None);
    }
}

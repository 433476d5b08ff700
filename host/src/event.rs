//! What happens to plugins, as events for whoever asked for them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::condvar::{Condvar, behind};
use crate::host::UpgradeTimes;
use crate::library::End;
use crate::memory::Memory;
use crate::stats::now;

/// Something that happened to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The plugin's name.
    pub plugin: String,
    /// Its generation.
    pub generation: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened to a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Happened {
    /// The generation ended.
    Ended {
        /// How.
        #[serde(flatten)]
        end: End,
        /// What it held in the end, if it counts its memory.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        left: Option<Memory>,
    },
    /// The plugin was loaded.
    Loaded {
        /// Its version.
        version: String,
    },
    /// The plugin has come to hold more memory than it may; its callbacks are quarantined.
    OverMemory {
        /// How many bytes it holds.
        bytes: u64,
        /// How many it may hold.
        max_bytes: u64,
    },
    /// A callback is called no more: it failed too often, or its plugin holds too much memory.
    Quarantined {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The faults, or what else it was.
        reason: String,
    },
    /// A quarantined callback is called again.
    Released {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// Whether it was tried, and answered well; otherwise somebody asked for it.
        tried: bool,
    },
    /// The generation took the place of one that did not pass its probation.
    RolledBack {
        /// The number of the one it replaced.
        from: u64,
        /// Why that one was given up.
        reason: String,
    },
    /// The generation did not pass its probation, and goes on all the same.
    RollbackFailed {
        /// Why it was to be given up.
        reason: String,
        /// Why it was not.
        error: String,
    },
    /// A call of a callback took longer than it may; told for the first ten, then for ever fewer.
    Slow {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// How long it took, in nanoseconds.
        took_ns: u64,
        /// How long it may take, in nanoseconds.
        budget_ns: u64,
        /// How often that was so by now.
        count: u64,
    },
    /// A stopped plugin runs again.
    Started,
    /// The plugin was stopped; its library stays loaded.
    Stopped,
    /// A callback has been in one call for longer than the limit; told once for each call.
    Stuck {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
        /// The thread: its name, and the system's number of it.
        thread: String,
        /// How long by now, in milliseconds.
        took_ms: u64,
    },
    /// Its callbacks were taken out of their chains, to unload it.
    Unloading,
    /// The generation took the place of another.
    Upgraded {
        /// The number of the one it replaced.
        from: u64,
        /// Its version.
        version: String,
        /// How long the parts took.
        times: UpgradeTimes,
    },
}

/// The events of a host from the time this was asked for, in a queue of its own.
///
/// When the queue is full, events are dropped and counted: the host never waits for a reader.
pub struct Events {
    queue: Arc<Queue>,
}

impl Events {
    /// The next event; waits for it no longer than `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<Event> {
        let deadline = behind(timeout);
        let mut waiting = self.queue.waiting.lock();
        self.queue.changed.wait_while(&mut waiting, |waiting| waiting.events.is_empty(), Some(deadline));
        waiting.events.pop_front()
    }

    /// All that wait now.
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

/// How many events wait for one reader.
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

/// Tells events to all who asked.
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

    pub(crate) fn tell(&self, plugin: &str, generation: u64, what: Happened) {
        let queues = self.queues.lock();
        if queues.is_empty() {
            return;
        }
        let event = Event { plugin: plugin.into(), generation, time: now(), what };
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
            announcer.tell("a", generation, Happened::Started);
            assert_eq!(quick.wait(Duration::ZERO).unwrap().generation, generation);
        }
        assert_eq!((slow.dropped(), quick.dropped()), (7, 0));
        let kept = slow.take();
        assert_eq!((kept.len(), kept[0].generation), (CAPACITY, 0));
        assert_eq!(slow.wait(Duration::ZERO), None);
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let what = Happened::Ended { end: End::Unmapped, left: None };
        let event = Event { plugin: "a".into(), generation: 2, time: 3, what };
        let json =
            serde_json::json!({ "plugin": "a", "generation": 2, "time": 3, "event": "ended", "end": "unmapped" });
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
    }
}

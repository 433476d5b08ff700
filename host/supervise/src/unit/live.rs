//! The process that a unit has.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use hookrail_model::time::later;
use hookrail_model::unit::Acknowledgement;

use super::kind::Order;
use crate::process::Process;

/// Whoever gave a command and waits for what comes of it.
pub(super) type Asker = Sender<Acknowledgement>;

/// The process of a unit that has not ended, as far as the unit has heard.
pub(super) struct Live {
    pub(super) process: Process,
    /// Since when it is ready, if it ever was.
    pub(super) ready: Option<Instant>,
    /// When it has to be ready.
    pub(super) ready_by: Option<Instant>,
    /// The order that it has not answered, other than to end and to say how it is.
    pub(super) order: Option<Pending>,
    /// The last one that it did not answer in time.
    pub(super) late: Option<(u64, Order)>,
    pub(super) ping: Option<Pending>,
    pub(super) next_ping: Option<Instant>,
    pub(super) ending: Option<Ending>,
}

/// An order that was not answered.
pub(super) struct Pending {
    pub(super) number: u64,
    pub(super) order: Order,
    pub(super) deadline: Instant,
    /// Nobody, if it is the unit's own.
    pub(super) askers: Vec<Asker>,
}

/// An end that somebody wants.
pub(super) struct Ending {
    /// The number of the order to end, if there was one.
    pub(super) order: Option<u64>,
    pub(super) then: Then,
    /// When it is to be killed, or was to be dead; `None` when nothing more can be done.
    pub(super) by: Option<Instant>,
    pub(super) is_killed: bool,
    /// Why it refused to end.
    pub(super) refused: Option<String>,
    /// Why the unit ends it, if nobody has asked for it.
    pub(super) reason: Option<String>,
    pub(super) askers: Vec<Asker>,
}

/// How long a process that was killed may take to be gone.
pub(super) const KILL: Duration = Duration::from_secs(10);

/// What comes after the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// What comes after an end that nobody has asked for.
    Restarts,
    Start,
    Stop,
}

impl Live {
    pub(super) fn new(process: Process, ready: Duration) -> Self {
        Live {
            process,
            ready: None,
            ready_by: Some(later(Instant::now(), ready)),
            order: None,
            late: None,
            ping: None,
            next_ping: None,
            ending: None,
        }
    }

    /// When something is to be looked at next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if let Some(ending) = &self.ending {
            return ending.by;
        }
        // A unit that is busy with an order may be too busy for a ping.
        let ping = match (&self.order, &self.ping) {
            (Some(order), _) => Some(order.deadline),
            (None, Some(ping)) => Some(ping.deadline),
            (None, None) => self.next_ping,
        };
        self.ready_by.into_iter().chain(ping).min()
    }

    /// All who wait for an answer, who will not get it.
    pub(super) fn take_askers(&mut self) -> Vec<Asker> {
        let pending = self.order.take().into_iter().chain(self.ping.take());
        let ending = self.ending.as_mut().map(|ending| std::mem::take(&mut ending.askers));
        pending.flat_map(|pending| pending.askers).chain(ending.into_iter().flatten()).collect()
    }
}

/// Answers that are sent when all that belongs to them is done and shown.
#[derive(Default)]
pub(super) struct Outbox(Vec<(Asker, Acknowledgement)>);

impl Outbox {
    pub(super) fn put(&mut self, askers: impl IntoIterator<Item = Asker>, what: &Acknowledgement) {
        self.0.extend(askers.into_iter().map(|asker| (asker, what.clone())));
    }

    pub(super) fn send(&mut self) {
        for (asker, what) in self.0.drain(..) {
            // It may wait no longer.
            let _ = asker.send(what);
        }
    }
}

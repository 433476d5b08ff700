//! What is due.

use std::time::Instant;

use hookrail_model::time::later;
use hookrail_model::unit::{Acknowledgement, UnitState};
use hookrail_model::units::duration_text;

use super::Machine;
use crate::unit::live::KILL;

impl Machine {
    /// Does what is due by then.
    pub(super) fn look_at_clock(&mut self, now: Instant) {
        let is_due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if is_due(self.retry) {
            self.begin();
        }
        let Some(live) = &self.live else { return };
        if let Some(ending) = &live.ending {
            if is_due(ending.by) {
                self.hasten(now);
            }
        } else if is_due(live.ready_by) {
            self.outbox.put(self.starters.drain(..), &Acknowledgement::TimedOut);
            self.kill(format!("it was not ready within {}", duration_text(self.deadlines.ready)));
        } else if let Some(order) = &live.order {
            if order.deadline <= now {
                self.give_up_order(now);
            }
        } else if let Some(ping) = &live.ping {
            if ping.deadline <= now {
                self.give_up_ping();
            }
        } else if is_due(live.next_ping) {
            self.ask_how_it_is(Vec::new());
        }
    }

    /// It takes too long to end.
    fn hasten(&mut self, now: Instant) {
        let Some(live) = &mut self.live else { return };
        let Some(ending) = &mut live.ending else { return };
        if !ending.is_killed {
            live.process.kill();
            (ending.is_killed, ending.by) = (true, Some(later(now, KILL)));
            return;
        }
        // It is inside a system call that does not end, or is not ours to kill.
        ending.by = None;
        self.outbox.put(std::mem::take(&mut ending.askers), &Acknowledgement::TimedOut);
        let reason = format!("it was killed {} ago, and has not ended", duration_text(KILL));
        self.set(self.view.state, Some(reason));
    }

    fn give_up_order(&mut self, now: Instant) {
        let Some(live) = &mut self.live else { return };
        let Some(order) = live.order.take() else { return };
        let reason = format!("it did not {} within {}", order.order.name(), duration_text(self.deadlines.order));
        if order.askers.is_empty() {
            // It is to be halted, and would do its work.
            return self.kill(reason);
        }
        self.outbox.put(order.askers, &Acknowledgement::TimedOut);
        live.late = Some((order.number, order.order));
        // Whether it does anything at all is seen at once.
        live.next_ping = self.deadlines.ping_every.map(|_| now);
        self.set(UnitState::Error, Some(reason));
    }

    fn give_up_ping(&mut self) {
        let Some(ping) = self.live.as_mut().and_then(|live| live.ping.take()) else { return };
        self.outbox.put(ping.askers, &Acknowledgement::TimedOut);
        // One that the clock never pings may not know what a ping is.
        if self.deadlines.ping_every.is_some() {
            self.kill(format!("it did not answer a ping within {}", duration_text(self.deadlines.pong)));
        }
    }
}

//! Orders to the process, and what it says.

use std::time::Instant;

use hookrail_model::guarded;
use hookrail_model::time::later;
use hookrail_model::unit::{Acknowledgement, UnitCommand, UnitState};

use super::Machine;
use crate::unit::event::{Pong, Reply, Said};
use crate::unit::kind::{Answer, Order, Voice};
use crate::unit::live::{Asker, Live, Pending};

impl Machine {
    /// Passes a command on, if the process is not busy with another one.
    pub(super) fn pass_on(&mut self, command: UnitCommand, asker: Asker) {
        let order = match command {
            UnitCommand::Halt => Order::Halt,
            UnitCommand::Reload => Order::Reload,
            UnitCommand::Resume => Order::Resume,
            _ => Order::Ping,
        };
        let Some(live) = &mut self.live else { return };
        if let Some(ending) = &live.ending {
            let reason = ending.reason.as_deref().unwrap_or("it is being shut down");
            self.outbox.put([asker], &Acknowledgement::refused(reason));
        } else if let Some(pending) = &live.order {
            let reason = format!("it has not answered the order to {}", pending.order.name());
            self.outbox.put([asker], &Acknowledgement::refused(reason));
        } else if order != Order::Ping {
            self.put(order, vec![asker]);
        } else if let Some(ping) = &mut live.ping {
            ping.askers.push(asker);
        } else {
            self.ask_how_it_is(vec![asker]);
        }
    }

    pub(super) fn ask_how_it_is(&mut self, askers: Vec<Asker>) {
        let number = self.send(Order::Ping);
        let deadline = later(Instant::now(), self.deadlines.pong);
        if let Some(live) = &mut self.live {
            live.ping = Some(Pending { number, order: Order::Ping, deadline, askers });
        }
    }

    fn put(&mut self, order: Order, askers: Vec<Asker>) {
        let number = self.send(order);
        let deadline = later(Instant::now(), self.deadlines.order);
        if let Some(live) = &mut self.live {
            live.late = None;
            live.order = Some(Pending { number, order, deadline, askers });
        }
    }

    /// Sends an order, and returns its number.
    pub(super) fn send(&mut self, order: Order) -> u64 {
        self.orders += 1;
        let voice = Voice { events: self.events.clone(), run: self.runs };
        let (kind, number) = (&mut self.kind, self.orders);
        // If it panics, the order was not answered.
        guarded((), || kind.order(order, Answer { voice, number }));
        number
    }

    pub(super) fn said(&mut self, said: Said) {
        let Some(live) = &mut self.live else { return };
        let Said::Answer(answered, reply) = said else { return self.is_ready() };
        let is_it = |pending: &mut Pending| pending.number == answered;
        if let Some(ending) = &mut live.ending {
            if let Reply::Refused(reason) = reply
                && ending.order == Some(answered)
            {
                ending.refused = Some(reason);
            }
        } else if let Some(ping) = live.ping.take_if(is_it) {
            self.told_how_it_is(ping, reply);
        } else if let Some(pending) = live.order.take_if(is_it) {
            self.answered(pending, reply);
        } else if let Some((_, order)) = live.late.take_if(|(number, _)| *number == answered)
            && matches!(reply, Reply::Acknowledged)
        {
            self.done(order);
        }
    }

    fn is_ready(&mut self) {
        let is_awaited = |live: &&mut Live| live.ending.is_none() && live.ready_by.is_some();
        let Some(live) = self.live.as_mut().filter(is_awaited) else { return };
        live.ready_by = None;
        live.ready = live.ready.or(Some(Instant::now()));
        live.next_ping = self.deadlines.ping_every.map(|pause| later(Instant::now(), pause));
        match self.is_halted {
            // Whoever waits for it waits until it is halted.
            true => self.put(Order::Halt, Vec::new()),
            false => self.works(),
        }
    }

    /// It does what it should.
    fn works(&mut self) {
        self.set(if self.is_halted { UnitState::Halted } else { UnitState::Running }, None);
        self.outbox.put(self.starters.drain(..), &Acknowledgement::Acknowledged);
    }

    fn answered(&mut self, pending: Pending, reply: Reply) {
        if let Some(live) = &mut self.live
            && let Some(ping) = &mut live.ping
        {
            // The time for it was the order's.
            ping.deadline = later(Instant::now(), self.deadlines.pong);
        }
        match reply {
            Reply::Refused(reason) if pending.askers.is_empty() => {
                self.kill(format!("it was to be halted again, and refused: {reason}"));
            }
            Reply::Refused(reason) => self.outbox.put(pending.askers, &Acknowledgement::refused(reason)),
            Reply::Acknowledged | Reply::Pong(_) => {
                self.done(pending.order);
                self.outbox.put(pending.askers, &Acknowledgement::Acknowledged);
            }
        }
    }

    /// It has carried out an order.
    fn done(&mut self, order: Order) {
        match order {
            Order::Halt => self.is_halted = true,
            Order::Resume => self.is_halted = false,
            _ => {}
        }
        // It may have said meanwhile that it is not ready.
        if self.live.as_ref().is_some_and(|live| live.ready_by.is_none()) {
            self.works();
        }
    }

    fn told_how_it_is(&mut self, ping: Pending, reply: Reply) {
        let Some(live) = &mut self.live else { return };
        live.next_ping = self.deadlines.ping_every.map(|pause| later(Instant::now(), pause));
        match reply {
            Reply::Acknowledged | Reply::Pong(Pong::Well) if live.ready.is_some() => {
                live.ready_by = None;
                self.backoff.progress();
                if matches!(self.view.state, UnitState::Error | UnitState::Init) {
                    self.works();
                }
            }
            Reply::Acknowledged | Reply::Pong(Pong::Well) => {}
            Reply::Pong(Pong::Init) => {
                if live.ready_by.is_none() {
                    live.ready_by = Some(later(Instant::now(), self.deadlines.ready));
                    self.set(UnitState::Init, None);
                }
            }
            Reply::Pong(Pong::Error { reason }) | Reply::Refused(reason) => {
                self.set(UnitState::Error, Some(reason));
            }
        }
        self.outbox.put(ping.askers, &Acknowledgement::Acknowledged);
    }
}
